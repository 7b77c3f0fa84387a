package io.iolab.scenarios.cli;

import io.iolab.scenarios.scenario.PathVariants;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.vmm.config.ConfigException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab compare}. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {"Run the device paths side by side and print one table.", ""},
        sortOptions = false,
        footer = {
            "Examples:",
            "  iolab compare                          the default scenario, side-by-side",
            "  iolab compare ping-pong --native       round trips, and the NIC without a hypervisor as yardstick",
            "  iolab compare my.yaml --json > r.json  a file of your own, as iolab.result/1",
            "  iolab compare --pcap frames            what crossed each link, for tshark",
            "  iolab compare --inject transmit-hang   with a bug, and what watchdogs see of it",
            "  iolab compare --paths 'virtio,virtio{backend: poll},passthrough'",
            "                                         variants of a path as rows of one table",
            "",
        })
final class CompareCommand implements Callable<Integer> {
    private final Session session;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "SCENARIO",
            defaultValue = ScenarioCatalog.DEFAULT,
            description = "A bundled scenario or a file; default ${DEFAULT-VALUE}.")
    private String scenario;

    @Option(names = "--native", description = "Add the native path and print each path as a share of it.")
    private boolean withNative;

    @Option(
            names = "--paths",
            paramLabel = "LIST",
            description = {
                "These paths in place of the scenario's guests, separated by commas; in braces behind one the keys that a"
                        + " scenario has for such a NIC, as in virtio{backend: poll}. Each is set up as the scenario's"
                        + " first guest on that path.",
            })
    private @Nullable String paths;

    @Mixin
    private RunOptions options;

    CompareCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws Exception {
        Scenario found = withPaths(ScenarioCatalog.find(scenario));
        return new ScenarioRun(session, options).execute(withNative ? found.withNative() : found, spec.commandLine());
    }

    /** What is wrong with the list is wrong with the command line. */
    private Scenario withPaths(Scenario found) {
        if (paths == null) {
            return found;
        }
        try {
            return PathVariants.apply(found, paths);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}

package io.iolab.scenarios.cli;

import io.iolab.scenarios.scenario.ScenarioCatalog;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab run}. */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {"Run a scenario as it is written.", ""},
        sortOptions = false,
        footer = {
            "Examples:",
            "  iolab run doorbell-cost",
            "  iolab run my.yaml --seed 7 --duration 20ms",
            "  iolab run pcap-replay --csv --output replay.csv",
            "  iolab run ping-pong --inject missed-kick-recheck@virtio",
            "",
        })
final class RunCommand implements Callable<Integer> {
    private final Session session;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SCENARIO", description = "A bundled scenario or a file.")
    private String scenario;

    @Mixin
    private RunOptions options;

    RunCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws Exception {
        return new ScenarioRun(session, options).execute(ScenarioCatalog.find(scenario), spec.commandLine());
    }
}

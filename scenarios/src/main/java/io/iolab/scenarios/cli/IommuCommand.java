package io.iolab.scenarios.cli;

import io.iolab.scenarios.iommu.GroupsJson;
import io.iolab.scenarios.iommu.GroupsReport;
import io.iolab.scenarios.iommu.GroupsSchema;
import io.iolab.scenarios.iommu.GroupsText;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.scenario.UnknownScenarioException;
import io.iolab.vmm.Lab;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.groups.ExampleTopology;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab iommu}. */
@Command(
        name = "iommu",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {"What the IOMMU sees, and why.", ""},
        footer = {
            "Examples:",
            "  iolab iommu groups                          the example topologies, each in a line",
            "  iolab iommu groups switch-no-acs            its groups, and which ACS bit joins them",
            "  iolab iommu groups switch-acs --acs off     before an operating system has switched ACS on",
            "  iolab iommu groups side-by-side --json      those of a scenario's host",
            "  iolab iommu walk --attack rogue-read --bdf 01:00.0 --iova 0x2000",
            "                                              every table entry on the way of a request",
            "  iolab iommu faults --attack rogue-read      what the unit refused, and why",
            "",
        })
final class IommuCommand implements Runnable {
    private final Session session;

    @Spec
    private CommandSpec spec;

    IommuCommand(Session session) {
        this.session = session;
    }

    @Override
    public void run() {
        throw new MissingCommandException(spec.commandLine());
    }

    /** Whether an operating system has switched access control on. */
    enum AccessControl {
        ON,
        OFF
    }

    @Command(
            name = "groups",
            mixinStandardHelpOptions = true,
            description = "Which functions the IOMMU cannot tell apart, and what joins them.")
    int groups(
            @Parameters(
                            arity = "0..1",
                            paramLabel = "TOPOLOGY|SCENARIO",
                            description = "An example topology, or a scenario; without it the topologies are listed.")
                    String name,
            @Option(
                            names = "--acs",
                            defaultValue = "ON",
                            paramLabel = "on|off",
                            description =
                                    "Of a topology: whether the operating system has switched ACS on; default on.")
                    AccessControl acs,
            @Option(names = "--json", description = "As one JSON document, iolab.iommu-groups/1.") boolean json,
            @Option(names = "--schema", description = "Print the JSON Schema of that document.") boolean schema)
            throws ConfigException, IOException {
        if (schema) {
            session.print(ResultJson.text(GroupsSchema.document()));
            return ExitCode.DONE;
        }
        if (name == null) {
            if (json) {
                throw new ParameterException(command(), "--json needs a topology or a scenario");
            }
            session.print(list());
            return ExitCode.DONE;
        }
        ExampleTopology example = ExampleTopology.named(name);
        GroupsReport report = example == null ? scenario(name) : GroupsReport.of(example, acs == AccessControl.ON);
        session.print(json ? GroupsJson.text(report) : GroupsText.of(report));
        return ExitCode.DONE;
    }

    private CommandLine command() {
        return Objects.requireNonNull(spec.subcommands().get("groups"));
    }

    private static String list() {
        StringBuilder out = new StringBuilder();
        for (ExampleTopology example : ExampleTopology.values()) {
            out.append(String.format("%-18s %s%n", example.label(), example.description()));
        }
        return out.toString();
    }

    /** A scenario's physical NICs sit on bus 0 of its host, an 82576 with virtual functions behind a root port. */
    private GroupsReport scenario(String name) throws ConfigException, IOException {
        Scenario scenario;
        try {
            scenario = ScenarioCatalog.find(name);
        } catch (UnknownScenarioException e) {
            List<String> known = new ArrayList<>(ScenarioCatalog.names());
            Arrays.stream(ExampleTopology.values()).map(ExampleTopology::label).forEach(known::add);
            throw new ParameterException(
                    command(),
                    ("no topology and no scenario '" + name + "'\n" + Suggestions.question(name, known))
                            .stripTrailing(),
                    e);
        }
        try (Lab lab = Lab.create(scenario.labConfig(false))) {
            return new GroupsReport(scenario.name(), "the physical functions of its host", lab.iommuGroups());
        }
    }
}

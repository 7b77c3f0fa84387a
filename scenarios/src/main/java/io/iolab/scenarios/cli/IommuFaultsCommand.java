package io.iolab.scenarios.cli;

import io.iolab.scenarios.attack.Attack;
import io.iolab.scenarios.attack.AttackOutcome;
import io.iolab.scenarios.attack.AttackRunner;
import io.iolab.scenarios.iommu.FaultsJson;
import io.iolab.scenarios.iommu.FaultsSchema;
import io.iolab.scenarios.iommu.FaultsText;
import io.iolab.scenarios.iommu.ScenarioFaults;
import io.iolab.scenarios.iommu.ScenarioTables;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.IommuTuning;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code iolab iommu faults}. */
@Command(
        name = "faults",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {
            "What a remapping unit refused: each kind of fault in the line that Linux logs, with its count, in words, with the walk",
            "that failed, and what would have happened without the unit. Equal source, reason and page make one line.",
            "Something must fault first: an attack, or a scenario with a bug in it.",
            "Faults that guests have read from units that they see follow the host's, in the guests' names, with the registers read.",
            ""
        },
        footer = {
            "Examples:",
            "  iolab iommu faults --attack rogue-read",
            "  iolab iommu faults --attack msi-forgery --json",
            "  iolab iommu faults side-by-side --inject wrong-dma-direction",
            "  iolab iommu faults guest-iommu --inject wrong-dma-direction@strict --guest strict",
            "",
        })
final class IommuFaultsCommand implements Callable<Integer> {
    private final Session session;

    @Spec
    private CommandSpec spec;

    @Mixin
    private TableSource source;

    @Option(
            names = "--inject",
            paramLabel = "NAME[@GUEST]",
            description = "Of a scenario: a bug that makes it fault; repeatable. Names: iolab inject list.")
    private List<String> inject = new ArrayList<>();

    @Option(
            names = "--guest",
            paramLabel = "NAME",
            description = "Only what this guest has read from the unit that it sees.")
    @Nullable
    private String guest;

    @Option(names = "--brief", description = "Without the walks.")
    private boolean brief;

    @Option(names = "--json", description = "As one JSON document, iolab.iommu-faults/1.")
    private boolean json;

    @Option(names = "--schema", description = "Print the JSON Schema of that document.")
    private boolean schema;

    IommuFaultsCommand(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() throws ConfigException, IOException {
        if (schema) {
            session.print(ResultJson.text(FaultsSchema.faultsDocument()));
            return ExitCode.DONE;
        }
        source.check(spec.commandLine());
        if (source.isAttack()) {
            if (!inject.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "--inject is for a scenario");
            }
            if (guest != null) {
                throw new ParameterException(spec.commandLine(), "--guest is for a scenario");
            }
            Attack attack = source.attack(spec.commandLine());
            AttackOutcome outcome = AttackRunner.run(attack, source.defence);
            print(
                    "attack " + attack.name() + ", defence " + source.defence.label(),
                    ScenarioFaults.of(outcome.faults()),
                    outcome.otherFaults());
        } else {
            Scenario scenario = source.scenario(spec.commandLine());
            checkGuest(scenario);
            ScenarioFaults faults =
                    ScenarioTables.faults(scenario, BugNames.injections(inject, scenario, spec.commandLine()));
            print("scenario " + scenario.name(), guest == null ? faults : faults.ofGuest(guest), 0);
        }
        return ExitCode.DONE;
    }

    private void checkGuest(Scenario scenario) {
        List<String> seeing = scenario.guests().stream()
                .filter(each -> each.iommu().viommu() != IommuTuning.Viommu.NONE)
                .map(GuestConfig::name)
                .toList();
        if (guest != null && !seeing.contains(guest)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--guest " + guest + ": expected a guest that sees a remapping unit: "
                            + (seeing.isEmpty() ? "none does here" : String.join(", ", seeing)));
        }
    }

    private void print(String what, ScenarioFaults faults, long others) {
        session.print(json ? FaultsJson.text(what, faults, others) : FaultsText.of(faults, others, !brief));
    }
}

package io.iolab.scenarios.cli;

import io.iolab.scenarios.attack.Attack;
import io.iolab.scenarios.attack.AttackCatalog;
import io.iolab.scenarios.attack.Defence;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.scenario.UnknownScenarioException;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** What is run before an IOMMU's tables or faults are looked at. */
final class TableSource {
    @Parameters(
            arity = "0..1",
            paramLabel = "SCENARIO",
            description = "Boot this scenario and let it send for a millisecond first.")
    @Nullable
    String scenario;

    @Option(names = "--attack", paramLabel = "NAME", description = "Run this attack first; names: iolab attack list.")
    @Nullable
    String attack;

    @Option(
            names = "--defence",
            defaultValue = "ON",
            paramLabel = "on|off",
            description = "Of the attack: whether its defence is in force; default on.")
    Defence defence = Defence.ON;

    /** @throws ParameterException unless an attack or a scenario was named, one of them */
    void check(CommandLine command) {
        if ((scenario == null) == (attack == null)) {
            throw new ParameterException(
                    command, "a scenario or --attack NAME, one of them; for instance --attack " + example());
        }
    }

    private static String example() {
        return AttackCatalog.names().getFirst();
    }

    boolean isAttack() {
        return attack != null;
    }

    Attack attack(CommandLine command) {
        return AttackCommand.attack(Objects.requireNonNull(attack), AttackCatalog.attacks(), command);
    }

    Scenario scenario(CommandLine command) throws ConfigException, IOException {
        String name = Objects.requireNonNull(scenario);
        try {
            return ScenarioCatalog.find(name);
        } catch (UnknownScenarioException e) {
            throw new ParameterException(
                    command,
                    ("no scenario '" + name + "'\n" + Suggestions.question(name, ScenarioCatalog.names()))
                            .stripTrailing(),
                    e);
        }
    }
}

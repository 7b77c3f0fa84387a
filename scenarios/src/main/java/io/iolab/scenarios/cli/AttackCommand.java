package io.iolab.scenarios.cli;

import io.iolab.scenarios.attack.Attack;
import io.iolab.scenarios.attack.AttackCatalog;
import io.iolab.scenarios.attack.AttackJson;
import io.iolab.scenarios.attack.AttackOutcome;
import io.iolab.scenarios.attack.AttackRunner;
import io.iolab.scenarios.attack.AttackSchema;
import io.iolab.scenarios.attack.AttackText;
import io.iolab.scenarios.attack.Defence;
import io.iolab.scenarios.result.ResultJson;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolab attack}. */
@Command(
        name = "attack",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = {
            "Attacks on isolation, each with its defence off and on, on real bytes; the verdict is found by comparing memory.",
            ""
        },
        footer = {
            "Examples:",
            "  iolab attack list                            the attacks, what stops each, and the verdicts to expect",
            "  iolab attack run rogue-read                  both ways, with fault records, walks and bytes",
            "  iolab attack run rogue-read --defence off    what it takes when nothing stops it",
            "  iolab attack run --all                       a table; exit code 1 if a verdict is not the expected one",
            "  iolab attack run --all --json                one document, iolab.attack/1",
            "  iolab iommu faults --attack rogue-read       only the faults that it left",
            "",
        })
final class AttackCommand implements Runnable {
    private final Session session;
    private final List<Attack> catalogue;

    @Spec
    private CommandSpec spec;

    AttackCommand(Session session) {
        this(session, AttackCatalog.attacks());
    }

    AttackCommand(Session session, List<Attack> catalogue) {
        this.session = session;
        this.catalogue = List.copyOf(catalogue);
    }

    @Override
    public void run() {
        throw new MissingCommandException(spec.commandLine());
    }

    /** Which runs. */
    enum Runs {
        ON(List.of(Defence.ON)),
        OFF(List.of(Defence.OFF)),
        BOTH(List.of(Defence.OFF, Defence.ON));

        private final List<Defence> defences;

        Runs(List<Defence> defences) {
            this.defences = defences;
        }
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "The attacks, each in a line.")
    int list(@Option(names = "--json", description = "As one JSON document, iolab.attack/1.") boolean json) {
        session.print(json ? AttackJson.list(catalogue) : AttackText.list(catalogue));
        return ExitCode.DONE;
    }

    @Command(
            name = "run",
            mixinStandardHelpOptions = true,
            description = "Attack, and say what came of it. Exit code 1 if a verdict is not the expected one.")
    int run(
            @Parameters(arity = "0..1", paramLabel = "NAME", description = "An attack, as iolab attack list has it.")
                    String name,
            @Option(names = "--all", description = "Every attack, each run in a line.") boolean all,
            @Option(
                            names = "--defence",
                            defaultValue = "BOTH",
                            paramLabel = "on|off|both",
                            description = "Whether the defence is in force; default both, one after the other.")
                    Runs runs,
            @Option(names = "--json", description = "As one JSON document, iolab.attack/1.") boolean json,
            @Option(names = "--schema", description = "Print the JSON Schema of that document.") boolean schema) {
        CommandLine command = Objects.requireNonNull(spec.subcommands().get("run"));
        if (schema) {
            session.print(ResultJson.text(AttackSchema.document()));
            return ExitCode.DONE;
        }
        if (all == (name != null)) {
            throw new ParameterException(command, "an attack or --all, one of them");
        }
        List<Attack> attacks = all ? catalogue : List.of(attack(name, catalogue, command));
        List<AttackOutcome> outcomes = AttackRunner.run(attacks, runs.defences);
        if (json) {
            session.print(AttackJson.outcomes(outcomes));
        } else {
            session.print(all ? AttackText.summary(outcomes) : AttackText.details(outcomes));
        }
        return outcomes.stream().allMatch(AttackOutcome::asExpected) ? ExitCode.DONE : ExitCode.CHECK_FAILED;
    }

    /** @throws ParameterException if there is none of this name */
    static Attack attack(String name, List<Attack> attacks, CommandLine command) {
        return attacks.stream()
                .filter(attack -> attack.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ParameterException(
                        command,
                        ("no attack '" + name + "'\n"
                                        + Suggestions.question(
                                                name,
                                                attacks.stream()
                                                        .map(Attack::name)
                                                        .toList()))
                                .stripTrailing()));
    }
}

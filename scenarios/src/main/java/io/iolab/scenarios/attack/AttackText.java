package io.iolab.scenarios.attack;

import io.iolab.scenarios.iommu.ExplainedFault;
import io.iolab.scenarios.iommu.FaultsText;
import io.iolab.scenarios.iommu.WalkText;
import io.iolab.scenarios.result.TextTable;
import java.util.List;
import java.util.stream.Collectors;

/** Attacks and their outcomes for people. */
public final class AttackText {
    private static final int WIDTH = 100;

    private AttackText() {}

    /** Every attack in a line. */
    public static String list(List<Attack> attacks) {
        TextTable table =
                new TextTable().text("NAME").text("UNDEFENDED").text("DEFENDED").text("DEFENCE");
        for (Attack attack : attacks) {
            table.row(
                    attack.name(),
                    attack.expected(Defence.OFF),
                    attack.expected(Defence.ON),
                    firstPart(attack.defence()));
        }
        return table.render();
    }

    /** Up to the first bracket, colon or semicolon. */
    private static String firstPart(String defence) {
        return defence.split(" \\(|[:;] ", 2)[0];
    }

    /** One attack with all that its runs showed. */
    public static String details(List<AttackOutcome> outcomes) {
        StringBuilder out = new StringBuilder();
        Attack attack = outcomes.getFirst().attack();
        out.append(attack.name()).append("\n");
        paragraph(out, attack.what());
        paragraph(out, "Defence: " + attack.defence() + ".");
        for (AttackOutcome outcome : outcomes) {
            outcome(out, outcome);
        }
        return out.toString();
    }

    private static void paragraph(StringBuilder out, String text) {
        StringBuilder line = new StringBuilder(" ");
        for (String word : text.split(" ", -1)) {
            if (line.length() + 1 + word.length() > WIDTH) {
                out.append(line).append('\n');
                line.setLength(1);
            }
            line.append(' ').append(word);
        }
        out.append(line).append('\n');
    }

    private static void outcome(StringBuilder out, AttackOutcome outcome) {
        out.append("\nDefence ").append(outcome.defence().label()).append(": ").append(outcome.verdict());
        if (!outcome.asExpected()) {
            out.append("  NOT AS EXPECTED: ").append(outcome.attack().expected(outcome.defence()));
        }
        out.append('\n');
        outcome.notes().forEach(note -> out.append("  ").append(note).append('\n'));
        outcome.figures()
                .forEach(figure -> out.append("  ")
                        .append(figure.name().replace('_', ' '))
                        .append(": ")
                        .append(figure.value())
                        .append(' ')
                        .append(figure.unit())
                        .append('\n'));
        for (BytesFound found : outcome.bytes()) {
            out.append("  ").append(found.title()).append(":\n").append(found.dump("    "));
        }
        outcome.walks().forEach(walk -> out.append(WalkText.of(walk, "  ")));
        for (ExplainedFault fault : outcome.faults()) {
            FaultsText.one(out, fault, true, "  ");
        }
    }

    /** Every run in a line, and how many were as expected. */
    public static String summary(List<AttackOutcome> outcomes) {
        TextTable table = new TextTable()
                .text("ATTACK")
                .text("DEFENCE")
                .text("VERDICT")
                .text("EXPECTED")
                .number("FAULTS")
                .text("SAFETY FIGURES");
        for (AttackOutcome outcome : outcomes) {
            table.row(
                    outcome.attack().name(),
                    outcome.defence().label(),
                    outcome.verdict(),
                    outcome.asExpected() ? "yes" : "no: " + outcome.attack().expected(outcome.defence()),
                    outcome.faults().stream().mapToLong(ExplainedFault::records).sum() + outcome.otherFaults(),
                    figures(outcome));
        }
        long good = outcomes.stream().filter(AttackOutcome::asExpected).count();
        return table.render() + String.format("%n%d of %d verdicts as expected%n", good, outcomes.size());
    }

    private static String figures(AttackOutcome outcome) {
        return outcome.figures().stream()
                .map(figure -> figure.name().replace('_', ' ') + " " + figure.value() + " " + figure.unit())
                .collect(Collectors.joining("; "));
    }
}

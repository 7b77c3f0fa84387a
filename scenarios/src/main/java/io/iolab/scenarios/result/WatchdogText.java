package io.iolab.scenarios.result;

import io.iolab.vmm.inject.InjectionOutcome;
import io.iolab.vmm.ledger.WatchdogEvent;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** The parts of a report for people about bugs and what was seen of them; empty for a run without either. */
final class WatchdogText {
    private static final BigDecimal PICOS_PER_MILLI = BigDecimal.valueOf(1_000_000_000);

    private WatchdogText() {}

    /** One line a bug. */
    static String injected(Report report) {
        StringBuilder out = new StringBuilder();
        for (InjectionOutcome injection : report.injections()) {
            out.append("Injected ")
                    .append(injection.bug().label())
                    .append(" into ")
                    .append(injection.guest())
                    .append(
                            injection.struck()
                                    ? ""
                                    : "; the run was too short for it to strike, after "
                                            + injection.bug().strikesAfter())
                    .append('\n');
        }
        return out.toString();
    }

    /** What the watchdogs found, then what each logged the first time. */
    static String of(Report report) {
        if (report.watchdog().isEmpty()) {
            return report.injections().stream().noneMatch(InjectionOutcome::struck)
                    ? ""
                    : "\nWatchdog: found nothing; see the figures\n";
        }
        TextTable table = new TextTable()
                .text("GUEST")
                .text("FOUND")
                .text("by")
                .number("looks")
                .number("first ms")
                .number("last ms");
        for (WatchdogEvent event : report.watchdog()) {
            table.row(
                    event.guest(),
                    event.kind().name(),
                    event.kind().seenBy(),
                    event.count(),
                    millis(event.firstPicos()),
                    millis(event.lastPicos()));
        }
        StringBuilder out = new StringBuilder(
                        "\nWatchdog: looks that found something, and what was logged at the first\n")
                .append(table.render());
        for (WatchdogEvent event : report.watchdog()) {
            out.append("\n  ")
                    .append(event.guest())
                    .append(", ")
                    .append(event.kind().name())
                    .append(":\n");
            event.lines().forEach(line -> out.append("    ").append(line).append('\n'));
        }
        return out.toString();
    }

    private static BigDecimal millis(long picos) {
        return BigDecimal.valueOf(picos).divide(PICOS_PER_MILLI, 3, RoundingMode.HALF_EVEN);
    }
}

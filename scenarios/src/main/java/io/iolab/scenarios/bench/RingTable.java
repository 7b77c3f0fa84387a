package io.iolab.scenarios.bench;

import io.iolab.scenarios.result.TextTable;
import java.util.List;
import java.util.Locale;

/** The results for people. */
public final class RingTable {
    private static final double MILLION = 1e6;

    private RingTable() {}

    /** The cases, then the comparisons if there are any. */
    public static String render(List<RingResult> results) {
        TextTable table = new TextTable()
                .text("layout")
                .text("suppression")
                .number("batch")
                .number("Mbuf/s")
                .number("min..max")
                .number("ns/buffer")
                .number("kicks/buffer")
                .number("interrupts/buffer");
        TextTable pairs = new TextTable()
                .text("layout")
                .text("suppression")
                .number("batch")
                .text("against")
                .number("Mbuf/s")
                .number("min..max")
                .number("ratio")
                .number("min..max");
        boolean compared = false;
        for (RingResult result : results) {
            String suppression = result.plan().suppression() ? "on" : "off";
            String layout = result.plan().layout().label();
            table.row(
                    layout,
                    suppression,
                    result.plan().batch(),
                    millions(result.rate().median()),
                    millions(result.rate().min()) + ".."
                            + millions(result.rate().max()),
                    format("%.1f", result.nanosPerBuffer()),
                    format("%.6f", result.kicks()),
                    format("%.6f", result.interrupts()));
            for (RingResult.Comparison other : result.comparisons()) {
                compared = true;
                pairs.row(
                        layout,
                        suppression,
                        result.plan().batch(),
                        other.program(),
                        millions(other.rate().median()),
                        millions(other.rate().min()) + ".."
                                + millions(other.rate().max()),
                        format("%.2f", other.ratio().median()),
                        format("%.2f..%.2f", other.ratio().min(), other.ratio().max()));
            }
        }
        return compared ? table.render() + "\n" + pairs.render() : table.render();
    }

    private static String millions(double rate) {
        return format("%.2f", rate / MILLION);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}

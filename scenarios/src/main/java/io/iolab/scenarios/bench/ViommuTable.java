package io.iolab.scenarios.bench;

import io.iolab.scenarios.result.TextTable;
import io.iolab.vmm.viommu.ViommuResult;
import java.util.List;
import java.util.Locale;

/** The results for people: a line for the maps of each case and one for its unmaps, figures by the call. */
public final class ViommuTable {
    private static final double PICOS_PER_MICRO = 1e6;

    private ViommuTable() {}

    public static String render(List<ViommuResult> results) {
        TextTable table = new TextTable()
                .text("translation")
                .number("pages")
                .text("call")
                .number("calls")
                .number("exits")
                .number("us in exits")
                .number("invalidations")
                .number("shadow walks")
                .number("entries read")
                .number("on the physical unit");
        for (ViommuResult result : results) {
            row(table, result, "map", result.map());
            row(table, result, "unmap", result.unmap());
        }
        return table.render();
    }

    private static void row(TextTable table, ViommuResult result, String call, ViommuResult.Share share) {
        double calls = result.calls();
        table.row(
                result.mode().label(),
                result.pages(),
                call,
                result.calls(),
                number(share.exits() / calls),
                number(share.exitPicos() / PICOS_PER_MICRO / calls),
                number(share.invalidations() / calls),
                number(share.shadowWalks() / calls),
                number(share.entriesRead() / calls),
                number(share.physicalInvalidations() / calls));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}

package io.iolab.scenarios.result;

import io.iolab.vmm.ledger.GuestFigures;
import java.math.BigDecimal;

/** What guests did with remapping units that they see themselves. */
final class GuestUnitTable {
    private static final int DECIMALS = 3;

    private GuestUnitTable() {}

    /** A row for each guest that has one. */
    static TextTable of(Report report) {
        TextTable table = new TextTable()
                .text("PATH")
                .number("maps/pkt")
                .number("exits/map")
                .number("exits/unmap")
                .number("invalidations/pkt")
                .number("table walks/pkt")
                .number("host maps/pkt")
                .number("host invalidations/pkt")
                .number("faults");
        for (PathFigures row : report.rows()) {
            row.raw().iommu().guestUnit().ifPresent(unit -> row(table, row, unit));
        }
        return table;
    }

    private static void row(TextTable table, PathFigures row, GuestFigures.GuestUnit unit) {
        table.row(
                ResultTable.label(row),
                ResultTable.short3(row.perPacket(unit.maps())),
                each(unit.mapExits(), unit.maps()),
                each(unit.unmapExits(), unit.unmaps()),
                ResultTable.short3(row.perPacket(unit.invalidations())),
                ResultTable.short3(row.perPacket(unit.walks())),
                ResultTable.short3(row.perPacket(unit.hostMaps())),
                ResultTable.short3(row.perPacket(unit.hostInvalidations())),
                unit.faults());
    }

    private static String each(long exits, long calls) {
        return calls == 0
                ? ResultTable.NONE
                : PathFigures.ratio(BigDecimal.valueOf(exits), BigDecimal.valueOf(calls), DECIMALS)
                        .toString();
    }
}

package io.iolab.scenarios.iommu;

import io.iolab.vmm.SeenUnit;

/** Faults for people: Linux's line, the count, what happened, the walk, what would have happened. */
public final class FaultsText {
    private FaultsText() {}

    /**
     * With a line feed at the end.
     *
     * @param walks whether to print the walks too
     */
    public static String of(ScenarioFaults faults, long others, boolean walks) {
        if (faults.host().isEmpty() && faults.guests().isEmpty()) {
            return "no fault was recorded\n";
        }
        StringBuilder out = new StringBuilder();
        for (ExplainedFault fault : faults.host()) {
            one(out, fault, walks, "");
        }
        if (others > 0) {
            out.append(others).append(" more records of other kinds are not listed\n");
        }
        String guest = "";
        for (GuestFault fault : faults.guests()) {
            if (!fault.guest().equals(guest)) {
                guest = fault.guest();
                out.append("Guest ").append(guest).append(", from the unit that it sees:\n");
            }
            one(out, fault.fault(), walks, "  ");
            out.append("      Read by the guest: ").append(registers(fault)).append('\n');
        }
        return out.toString();
    }

    private static String registers(GuestFault fault) {
        SeenUnit.Registers read = fault.registers();
        return "FSTS 0x%08x, FRCD%d 0x%016x_%016x".formatted(read.status(), read.index(), read.high(), read.low());
    }

    /** Each line after {@code indent}. */
    public static void one(StringBuilder out, ExplainedFault fault, boolean walks, String indent) {
        out.append(indent).append(fault.report());
        if (fault.records() > 1) {
            out.append("  (").append(fault.records()).append(" records)");
        }
        out.append('\n');
        out.append(indent).append("    ").append(fault.words()).append('\n');
        out.append(indent)
                .append("    Without the unit: ")
                .append(fault.without())
                .append('\n');
        if (walks) {
            fault.walk().ifPresent(walk -> out.append(WalkText.of(walk, indent + "    ")));
        }
    }
}

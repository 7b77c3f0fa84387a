package io.iolab.scenarios.iommu;

import java.util.List;

/** Faults for people: Linux's line, the count, what happened, the walk, what would have happened. */
public final class FaultsText {
    private FaultsText() {}

    /**
     * With a line feed at the end.
     *
     * @param walks whether to print the walks too
     */
    public static String of(List<ExplainedFault> faults, long others, boolean walks) {
        if (faults.isEmpty()) {
            return "no fault was recorded\n";
        }
        StringBuilder out = new StringBuilder();
        for (ExplainedFault fault : faults) {
            one(out, fault, walks, "");
        }
        if (others > 0) {
            out.append(others).append(" more records of other kinds are not listed\n");
        }
        return out.toString();
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

package io.iolab.devices.e1000;

import io.iolab.devices.pci.MsixTable;

/** The MSI-X table and pending bits as software reaches them. */
final class VectorWindow {
    private static final int ENTRY_BYTES = 16;
    private static final int PENDING_BYTES = 8;

    private final MsixTable table;
    private final VectorPlacement placement;

    VectorWindow(MsixTable table, VectorPlacement placement) {
        this.table = table;
        this.placement = placement;
    }

    /** Whether an access goes here. A BAR of its own is claimed as a whole. */
    boolean claims(int bar, long offset) {
        return bar == placement.bar()
                && (placement == VectorPlacement.OWN_BAR || inTable(offset) || inPendingBits(offset));
    }

    private boolean inTable(long offset) {
        return offset >= placement.table() && offset < placement.table() + (long) ENTRY_BYTES * table.vectors();
    }

    private boolean inPendingBits(long offset) {
        return offset >= placement.pendingBits() && offset < placement.pendingBits() + PENDING_BYTES;
    }

    long read(long offset, int width) {
        return offset >= placement.pendingBits()
                ? table.readPending(offset - placement.pendingBits(), width)
                : table.readTable(offset - placement.table(), width);
    }

    void write(long offset, int width, long value) {
        if (offset < placement.pendingBits()) {
            table.writeTable(offset - placement.table(), width, value);
        }
    }

    String registerName(long offset) {
        if (inPendingBits(offset)) {
            return "MSIX_PBA";
        }
        return inTable(offset) ? "MSIX_TABLE" : "unimplemented";
    }
}

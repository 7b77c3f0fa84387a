package io.iolab.vmm.assign;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.Bar;

/**
 * The rule of which pages of an assigned function's BARs are mapped into the guest. A page is mapped if
 *
 * <ul>
 *   <li>its BAR is a memory BAR of at least a page, since the second-level tables know nothing smaller and no ports;
 *   <li>it holds no byte of the MSI-X table: the guest's entries name the guest's vectors, and what the device gets are the host's;
 *   <li>it holds no byte of the pending bits, which show the guest what of its own entries waits.
 * </ul>
 *
 * <p>All else in such a page is trapped too, and the VMM carries the access out on the device: registers of the data path that
 * share the page cost an exit to user space each. That is how vfio-pci behaves: its mmap left out the pages of the table up to Linux
 * 4.15; since then they can be mapped by the VMM, which on x86 still has to trap them from its guest, to virtualise the table. A VMM
 * that mapped only BARs without a table trapped the whole BAR.
 */
final class MappedPages {
    private static final int ENTRY_BYTES = 16;
    private static final int BITS_PER_WORD = 64;

    private final Identity identity;
    private final int tableBar;
    private final long table;
    private final long tableLength;
    private final int pendingBar;
    private final long pending;
    private final long pendingLength;

    /**
     * @param vectors of MSI-X; 0 for a function without
     * @param table the capability's register of table offset and BAR number
     * @param pending the same of the pending bits
     */
    MappedPages(Identity identity, int vectors, int table, int pending) {
        this.identity = identity;
        this.tableBar = table & 7;
        this.table = table & ~7;
        this.tableLength = (long) ENTRY_BYTES * vectors;
        this.pendingBar = pending & 7;
        this.pending = pending & ~7;
        this.pendingLength = (long) Long.BYTES * ((vectors + BITS_PER_WORD - 1) / BITS_PER_WORD);
    }

    /** Whether the page that {@code offset} is in is mapped. */
    boolean mapped(int bar, long offset) {
        Bar shape = identity.bar(bar);
        if (shape == null || !shape.isMemory() || shape.size() < AddressRange.PAGE_SIZE) {
            return false;
        }
        long page = AddressRange.alignDown(offset, AddressRange.PAGE_SIZE);
        return !inTable(bar, page, AddressRange.PAGE_SIZE) && !inPending(bar, page, AddressRange.PAGE_SIZE);
    }

    /** Whether a byte of the range belongs to the table. */
    boolean inTable(int bar, long offset, long length) {
        return bar == tableBar && AddressRange.overlaps(table, tableLength, offset, length);
    }

    /** Whether a byte of the range belongs to the pending bits. */
    boolean inPending(int bar, long offset, long length) {
        return bar == pendingBar && AddressRange.overlaps(pending, pendingLength, offset, length);
    }

    int tableBar() {
        return tableBar;
    }

    /** From the start of its BAR. */
    long tableOffset() {
        return table;
    }

    /** From the start of its BAR. */
    long pendingOffset() {
        return pending;
    }
}

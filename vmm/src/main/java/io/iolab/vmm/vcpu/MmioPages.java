package io.iolab.vmm.vcpu;

import io.iolab.devices.memory.AddressRange;
import java.util.Arrays;

/**
 * The guest pages that have been marked as MMIO by their first access. A guest can touch as many as it likes; beyond
 * {@value #LIMIT} all marks are dropped and set anew, as KVM drops its entries when the memory for them runs short.
 */
final class MmioPages {
    static final int LIMIT = 2048;
    private static final int SLOTS = 2 * LIMIT;

    /** Open-addressed. Key: page number + 1, so that 0 is free. */
    private final long[] slots = new long[SLOTS];

    private int marked;
    private long last;

    /** @return whether the page was not marked before; it is now */
    boolean mark(long gpa) {
        long key = (gpa >>> AddressRange.PAGE_SHIFT) + 1;
        if (key == last) {
            return false;
        }
        last = key;
        int slot = slotOf(key);
        if (slots[slot] == key) {
            return false;
        }
        if (marked == LIMIT) {
            Arrays.fill(slots, 0);
            marked = 0;
            slot = slotOf(key);
        }
        slots[slot] = key;
        marked++;
        return true;
    }

    /** Where a key is, or would go. */
    private int slotOf(long key) {
        int slot = (int) (key * 0x9E37_79B9_7F4A_7C15L >>> 52);
        while (slots[slot] != 0 && slots[slot] != key) {
            slot = slot + 1 & SLOTS - 1;
        }
        return slot;
    }
}

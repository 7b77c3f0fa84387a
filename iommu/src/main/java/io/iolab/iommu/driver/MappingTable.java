package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;

/** Pages of each mapping by its first page: open addressing in one array, so that neither map nor unmap allocates. */
final class MappingTable {
    private static final int INITIAL = 256;
    /** Spreads page numbers, which come in runs; the fraction of the golden ratio. */
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    /** First page, 0 for a free slot since page 0 is never given out; and the number of pages. */
    private long[] slots = new long[2 * INITIAL];

    private int count;

    int count() {
        return count;
    }

    private static int slot(long page, int mask) {
        return (int) (page * SPREAD >>> 32) & mask;
    }

    void put(long iova, long pages) {
        if (2 * count >= slots.length >>> 1) {
            grow();
        }
        insert(iova >>> AddressRange.PAGE_SHIFT, pages);
        count++;
    }

    private void insert(long page, long pages) {
        int mask = (slots.length >>> 1) - 1;
        int at = slot(page, mask);
        while (slots[2 * at] != 0) {
            at = at + 1 & mask;
        }
        slots[2 * at] = page;
        slots[2 * at + 1] = pages;
    }

    private void grow() {
        long[] old = slots;
        slots = new long[2 * old.length];
        for (int i = 0; i < old.length; i += 2) {
            if (old[i] != 0) {
                insert(old[i], old[i + 1]);
            }
        }
    }

    /** @return the number of pages, or 0 if no mapping begins there */
    long remove(long iova) {
        long page = iova >>> AddressRange.PAGE_SHIFT;
        int mask = (slots.length >>> 1) - 1;
        int at = slot(page, mask);
        while (slots[2 * at] != page || page == 0) {
            if (slots[2 * at] == 0) {
                return 0;
            }
            at = at + 1 & mask;
        }
        long pages = slots[2 * at + 1];
        closeGap(at, mask);
        count--;
        return pages;
    }

    /** Moves back what was pushed on by the one that is gone, so that no search stops too early. */
    private void closeGap(int gap, int mask) {
        int hole = gap;
        slots[2 * hole] = 0;
        for (int at = hole + 1 & mask; slots[2 * at] != 0; at = at + 1 & mask) {
            int home = slot(slots[2 * at], mask);
            boolean mayMove = (at - home & mask) >= (at - hole & mask);
            if (mayMove) {
                slots[2 * hole] = slots[2 * at];
                slots[2 * hole + 1] = slots[2 * at + 1];
                slots[2 * at] = 0;
                hole = at;
            }
        }
    }
}

package io.iolab.vmm.assign;

import io.iolab.devices.memory.AddressRange;
import io.iolab.iommu.driver.DirtyPages;
import java.util.Arrays;
import java.util.BitSet;

/** A bit for each page of a range. */
final class DirtyBitmap implements DirtyPages {
    private final long iova;
    private final int pages;
    private final BitSet bits = new BitSet();

    /** @param size less than 2^31 pages */
    DirtyBitmap(long iova, long size) {
        this.iova = iova;
        pages = (int) (size / AddressRange.PAGE_SIZE);
    }

    /** A part of the range. */
    @Override
    public void dirty(long from, long length) {
        int first = (int) ((from - iova) / AddressRange.PAGE_SIZE);
        bits.set(first, first + (int) (length / AddressRange.PAGE_SIZE));
    }

    /** Page 0 is the lowest bit of the first word; a word for every 64 pages begun. */
    long[] words() {
        return Arrays.copyOf(bits.toLongArray(), (pages + Long.SIZE - 1) / Long.SIZE);
    }
}

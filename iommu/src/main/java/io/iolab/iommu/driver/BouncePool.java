package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;

/**
 * Slots of equal size, page-aligned, mapped with the same rights for as long as the pool lives. Frames of a slot are contiguous for the
 * device, not always in host memory. Buffers of the other direction use another pool, so what a device may only read it never writes.
 */
final class BouncePool {
    private static final int LARGE_PAGES = (int) (AddressRange.LARGE_PAGE_SIZE / AddressRange.PAGE_SIZE);

    private final Domain domain;
    private final FrameSource frames;
    private final int slotPages;
    private final long base;
    private final long[] pageHpas;
    private final int[] free;
    private int freeCount;
    private final boolean large;

    /** Of each slot in use: the buffer, its length (0 for a free slot) and direction. */
    private final long[] buffers;

    private final long[] lengths;
    private final DmaDirection[] directions;

    private BouncePool(Domain domain, FrameSource frames, long base, int slots, int slotPages) {
        this.domain = domain;
        this.frames = frames;
        this.base = base;
        this.slotPages = slotPages;
        int pages = slots * slotPages;
        pageHpas = new long[pages];
        long largeHpa = pages == LARGE_PAGES ? frames.allocateLargePage() : FrameSource.NONE;
        large = largeHpa != FrameSource.NONE;
        for (int page = 0; page < pages; page++) {
            pageHpas[page] = large ? largeHpa + (long) page * AddressRange.PAGE_SIZE : frames.allocatePage();
        }
        free = new int[slots];
        for (int slot = slots - 1; slot >= 0; slot--) {
            free[freeCount++] = slot;
        }
        buffers = new long[slots];
        lengths = new long[slots];
        directions = new DmaDirection[slots];
        java.util.Arrays.fill(directions, DmaDirection.BIDIRECTIONAL);
    }

    /** @return null if the domain has no addresses left */
    static @org.jspecify.annotations.Nullable BouncePool create(
            Domain domain, FrameSource frames, IovaAllocator addresses, MapRights rights, int slots, int slotPages) {
        long base = addresses.allocate((long) slots * slotPages);
        if (base == IovaAllocator.NONE) {
            return null;
        }
        BouncePool pool = new BouncePool(domain, frames, base, slots, slotPages);
        pool.mapAll(rights);
        return pool;
    }

    /** Runs of neighbouring frames at once, so that they can have large pages. */
    private void mapAll(MapRights rights) {
        int start = 0;
        for (int page = 1; page <= pageHpas.length; page++) {
            boolean runEnds = page == pageHpas.length || pageHpas[page] != pageHpas[page - 1] + AddressRange.PAGE_SIZE;
            if (runEnds) {
                domain.map(
                        base + (long) start * AddressRange.PAGE_SIZE,
                        pageHpas[start],
                        (long) (page - start) * AddressRange.PAGE_SIZE,
                        rights);
                start = page;
            }
        }
    }

    long bytes() {
        return (long) pageHpas.length * AddressRange.PAGE_SIZE;
    }

    boolean contains(long iova) {
        return iova >= base && iova - base < bytes();
    }

    /** @return the slot, or -1 */
    int take(long bufferHpa, long length, DmaDirection direction) {
        if (freeCount == 0) {
            return -1;
        }
        int slot = free[--freeCount];
        buffers[slot] = bufferHpa;
        lengths[slot] = length;
        directions[slot] = direction;
        return slot;
    }

    void give(int slot) {
        lengths[slot] = 0;
        free[freeCount++] = slot;
    }

    /** @return the slot in use that begins at {@code iova}, or -1 */
    int slotAt(long iova) {
        long offset = iova - base;
        long slotBytes = (long) slotPages * AddressRange.PAGE_SIZE;
        int slot = (int) (offset / slotBytes);
        return offset % slotBytes == 0 && lengths[slot] != 0 ? slot : -1;
    }

    long iova(int slot) {
        return base + (long) slot * slotPages * AddressRange.PAGE_SIZE;
    }

    long hpa(int slot, int page) {
        return pageHpas[slot * slotPages + page];
    }

    long buffer(int slot) {
        return buffers[slot];
    }

    long length(int slot) {
        return lengths[slot];
    }

    DmaDirection direction(int slot) {
        return directions[slot];
    }

    /** Takes the pool from the device, then gives its frames back. */
    void close() {
        domain.unmap(base, bytes());
        if (large) {
            frames.freeLargePage(pageHpas[0]);
        } else {
            for (long hpa : pageHpas) {
                frames.freePage(hpa);
            }
        }
    }
}

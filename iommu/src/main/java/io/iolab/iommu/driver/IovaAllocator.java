package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Gives out I/O virtual addresses of a domain: from the top down, below 4 GiB first so that devices with 32-bit descriptors need no
 * second window, and aligned to the size rounded up to a power of two, so that large buffers can have large pages. Freed ranges of
 * small sizes go to a cache per size and come back from there without a search.
 *
 * <p>Never given out: page 0, so that an address of 0 in a descriptor is a mistake; the interrupt range, where a write would be a message
 * (VT-d 3.14); and what is reserved in the domain ({@link Domain#reserve}).
 */
final class IovaAllocator {
    static final long NONE = -1;

    /** First and last byte of what is not given out. */
    record Reserved(long first, long last) {}

    /** Sizes of 1 to 32 pages are cached. */
    private static final int CACHED_ORDERS = 6;

    /** Ranges kept of each size; what is freed beyond goes back to the free ranges. */
    private static final int CACHE_DEPTH = 1024;

    private static final long PAGES_32_BIT = 1L << 32 - AddressRange.PAGE_SHIFT;
    private static final Reserved INTERRUPTS = new Reserved(0xFEE0_0000L, 0xFEEF_FFFFL);

    /** Free ranges in pages, first to one past the last; no two touch. */
    private final TreeMap<Long, Long> free = new TreeMap<>();

    private final long[][] cached = new long[CACHED_ORDERS][CACHE_DEPTH];
    private final int[] cachedCount = new int[CACHED_ORDERS];
    private final DmaCounters counters;

    IovaAllocator(Domain domain, DmaCounters counters) {
        this.counters = counters;
        free.put(1L, domain.limit() >>> AddressRange.PAGE_SHIFT);
        reserve(INTERRUPTS);
        domain.reserved().forEach(this::reserve);
    }

    /** Takes every page of a range that is free, whatever part of it that is. */
    private void reserve(Reserved range) {
        long first = range.first() >>> AddressRange.PAGE_SHIFT;
        long end = (range.last() >>> AddressRange.PAGE_SHIFT) + 1;
        Map.Entry<Long, Long> below = free.floorEntry(first);
        long at = below == null ? first : below.getKey();
        for (Map.Entry<Long, Long> part : List.copyOf(free.subMap(at, end).entrySet())) {
            long from = Math.max(first, part.getKey());
            take(from, Math.max(0, Math.min(end, part.getValue()) - from));
        }
    }

    /** Pages that an allocation takes: cached sizes are powers of two, so that one serves another. */
    private static long rounded(long pages) {
        return pages > 1L << CACHED_ORDERS - 1 ? pages : powerOfTwo(pages);
    }

    private static long powerOfTwo(long pages) {
        return pages <= 1 ? 1 : Long.highestOneBit(pages - 1) << 1;
    }

    /** @return an address, or {@link #NONE} */
    long allocate(long pages) {
        long size = rounded(pages);
        int order = Long.numberOfTrailingZeros(size);
        if (order < CACHED_ORDERS && size == 1L << order && cachedCount[order] > 0) {
            counters.addressesCached++;
            return cached[order][--cachedCount[order]] << AddressRange.PAGE_SHIFT;
        }
        counters.addressesSearched++;
        long first = search(size);
        if (first == NONE && drainCaches()) {
            first = search(size);
        }
        return first == NONE ? NONE : first << AddressRange.PAGE_SHIFT;
    }

    private long search(long size) {
        long first = searchBelow(free.headMap(PAGES_32_BIT, false), PAGES_32_BIT, size);
        return first == NONE ? searchBelow(free, Long.MAX_VALUE, size) : first;
    }

    private long searchBelow(NavigableMap<Long, Long> ranges, long limit, long size) {
        long alignment = powerOfTwo(size);
        for (Map.Entry<Long, Long> range : ranges.descendingMap().entrySet()) {
            long first = Math.min(range.getValue(), limit) - size & -alignment;
            if (first >= range.getKey()) {
                take(first, size);
                return first;
            }
        }
        return NONE;
    }

    /** Takes a range out of the free one that holds it. */
    private void take(long first, long size) {
        Map.Entry<Long, Long> range = free.floorEntry(first);
        if (size == 0 || range == null || range.getValue() < first + size) {
            return;
        }
        free.remove(range.getKey());
        if (range.getKey() < first) {
            free.put(range.getKey(), first);
        }
        if (first + size < range.getValue()) {
            free.put(first + size, range.getValue());
        }
    }

    /** @param pages as allocated */
    void free(long iova, long pages) {
        long size = rounded(pages);
        int order = Long.numberOfTrailingZeros(size);
        long first = iova >>> AddressRange.PAGE_SHIFT;
        if (order < CACHED_ORDERS && size == 1L << order && cachedCount[order] < CACHE_DEPTH) {
            cached[order][cachedCount[order]++] = first;
        } else {
            release(first, size);
        }
    }

    private void release(long first, long size) {
        long start = first;
        long end = first + size;
        Map.Entry<Long, Long> below = free.floorEntry(first);
        if (below != null && below.getValue() == first) {
            start = below.getKey();
        }
        Long after = free.remove(end);
        free.put(start, after == null ? end : after);
    }

    /** When nothing fits, ranges that wait in the caches may have to join their neighbours. */
    private boolean drainCaches() {
        boolean drained = false;
        for (int order = 0; order < CACHED_ORDERS; order++) {
            while (cachedCount[order] > 0) {
                release(cached[order][--cachedCount[order]], 1L << order);
                drained = true;
            }
        }
        return drained;
    }
}

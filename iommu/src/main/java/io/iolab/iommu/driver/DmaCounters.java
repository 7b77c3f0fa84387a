package io.iolab.iommu.driver;

/**
 * What a {@link DmaMapper} did since it was made, and what devices could reach beyond what they were given.
 *
 * <p>Threading: as the mapper.
 */
public final class DmaCounters {
    long maps;
    long unmaps;
    long refused;
    long pagesMapped;
    long copies;
    long copiedBytes;
    long flushes;
    long stalePageNanos;
    long longestStaleNanos;
    long neighbourBytes;
    long addressesCached;
    long addressesSearched;

    DmaCounters() {}

    /** Buffers mapped. */
    public long maps() {
        return maps;
    }

    public long unmaps() {
        return unmaps;
    }

    /** Calls of map that failed. */
    public long refused() {
        return refused;
    }

    /** Page-table pages of 4 KiB that maps covered; 0 for policies that change no table. */
    public long pagesMapped() {
        return pagesMapped;
    }

    /** Copies between buffers and bounce slots. */
    public long copies() {
        return copies;
    }

    public long copiedBytes() {
        return copiedBytes;
    }

    /** Deferred flushes. */
    public long flushes() {
        return flushes;
    }

    /** The stale window: over all pages, nanoseconds from the return of their unmap to the end of the flush that served it. */
    public long stalePageNanos() {
        return stalePageNanos;
    }

    /** The longest that one unmap waited for its flush. */
    public long longestStaleNanos() {
        return longestStaleNanos;
    }

    /** Bytes that shared a page with a buffer and were mapped with it, over all maps. */
    public long neighbourBytes() {
        return neighbourBytes;
    }

    /** Addresses found in the per-size cache. */
    public long addressesCached() {
        return addressesCached;
    }

    /** Addresses searched for among the free ranges. */
    public long addressesSearched() {
        return addressesSearched;
    }
}

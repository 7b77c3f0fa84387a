package io.iolab.iommu.driver;

import io.iolab.devices.time.Clock;

/**
 * Unmaps whose invalidation is still to come. The queue is flushed when it is full, when its oldest entry has waited long enough, and
 * on demand; only then do addresses become free.
 */
final class FlushQueue {
    private final Domain domain;
    private final IovaAllocator addresses;
    private final Clock clock;
    private final DmaCounters counters;
    private final long[] iovas = new long[DmaMapper.FLUSH_ENTRIES];
    private final long[] pages = new long[DmaMapper.FLUSH_ENTRIES];
    private final long[] times = new long[DmaMapper.FLUSH_ENTRIES];
    private int count;

    FlushQueue(Domain domain, IovaAllocator addresses, Clock clock, DmaCounters counters) {
        this.domain = domain;
        this.addresses = addresses;
        this.clock = clock;
        this.counters = counters;
    }

    void add(long iova, long pageCount) {
        iovas[count] = iova;
        pages[count] = pageCount;
        times[count] = clock.nanos();
        count++;
        if (count == DmaMapper.FLUSH_ENTRIES) {
            flush();
        }
    }

    long nextFlushNanos() {
        return count == 0 ? DmaMapper.NEVER : times[0] + DmaMapper.FLUSH_NANOS;
    }

    void poll() {
        if (count != 0 && clock.nanos() - times[0] >= DmaMapper.FLUSH_NANOS) {
            flush();
        }
    }

    void flush() {
        if (count == 0) {
            return;
        }
        domain.flush();
        counters.flushes++;
        long now = clock.nanos();
        for (int i = 0; i < count; i++) {
            long stale = now - times[i];
            counters.stalePageNanos += stale * pages[i];
            counters.longestStaleNanos = Math.max(counters.longestStaleNanos, stale);
            addresses.free(iovas[i], pages[i]);
        }
        count = 0;
    }
}

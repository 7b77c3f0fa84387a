package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.time.Clock;
import org.jspecify.annotations.Nullable;

/** Strict and deferred: buffers are mapped where they are, by whole pages. */
final class PageMapper implements DmaMapper {
    private static final long OFFSET = AddressRange.PAGE_SIZE - 1;

    private final Domain domain;
    private final DmaPolicy policy;
    private final DmaCounters counters = new DmaCounters();
    private final MappingTable mappings = new MappingTable();
    private final IovaAllocator addresses;
    private final @Nullable FlushQueue queue;

    PageMapper(Domain domain, DmaPolicy policy, Clock clock) {
        this.domain = domain;
        this.policy = policy;
        this.addresses = new IovaAllocator(domain, counters);
        this.queue = policy == DmaPolicy.DEFERRED ? new FlushQueue(domain, addresses, clock, counters) : null;
    }

    @Override
    public DmaPolicy policy() {
        return policy;
    }

    @Override
    public long map(long bufferHpa, long length, DmaDirection direction) {
        checkRange(bufferHpa, length);
        long offset = bufferHpa & OFFSET;
        long pages = offset + length + OFFSET >>> AddressRange.PAGE_SHIFT;
        long iova = allocate(pages);
        if (iova == IovaAllocator.NONE) {
            counters.refused++;
            return FAILED;
        }
        domain.map(iova, bufferHpa - offset, pages << AddressRange.PAGE_SHIFT, direction.rights());
        mappings.put(iova, pages);
        counters.maps++;
        counters.pagesMapped += pages;
        counters.neighbourBytes += (pages << AddressRange.PAGE_SHIFT) - length;
        return iova + offset;
    }

    static void checkRange(long bufferHpa, long length) {
        if (bufferHpa < 0 || length <= 0 || AddressRange.wraps(bufferHpa, length)) {
            throw new IllegalArgumentException("hpa 0x" + Long.toHexString(bufferHpa) + ", " + length + " bytes");
        }
    }

    /** What waits for a flush holds addresses: the last resort is to flush now. */
    private long allocate(long pages) {
        long iova = addresses.allocate(pages);
        if (iova == IovaAllocator.NONE && queue != null) {
            queue.flush();
            iova = addresses.allocate(pages);
        }
        return iova;
    }

    @Override
    public void unmap(long iova, long written) {
        long first = iova & ~OFFSET;
        long pages = mappings.remove(first);
        if (pages == 0) {
            throw new IllegalStateException("nothing is mapped at 0x" + Long.toHexString(iova));
        }
        counters.unmaps++;
        if (queue == null) {
            domain.unmap(first, pages << AddressRange.PAGE_SHIFT);
            addresses.free(first, pages);
        } else {
            domain.unmapUnflushed(first, pages << AddressRange.PAGE_SHIFT);
            queue.add(first, pages);
        }
    }

    @Override
    public void poll() {
        if (queue != null) {
            queue.poll();
        }
    }

    @Override
    public long nextFlushNanos() {
        return queue == null ? NEVER : queue.nextFlushNanos();
    }

    @Override
    public void flush() {
        if (queue != null) {
            queue.flush();
        }
    }

    @Override
    public int mapped() {
        return mappings.count();
    }

    @Override
    public DmaCounters counters() {
        return counters;
    }

    @Override
    public void close() {
        if (mapped() != 0) {
            throw new IllegalStateException(mapped() + " buffers are mapped");
        }
        flush();
    }
}

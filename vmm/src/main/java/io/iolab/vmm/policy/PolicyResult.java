package io.iolab.vmm.policy;

/**
 * What a case did. Counts are over all {@code packets}, half of them transmitted and half received.
 *
 * @param dmaPicos processor time in map and unmap
 * @param stackPicos processor time in everything else that a packet needs, from the profile
 * @param walkPicos the unit's time in page walks
 * @param wirePicos of all packets, at {@link PolicyBench#LINE_RATE} each way
 * @param invalidations of the IOTLB
 * @param misses of the IOTLB
 * @param walkAccesses table entries read
 * @param stalePageNanos over all unmapped pages, from the return of unmap to the flush
 * @param longestStaleNanos of one unmap
 * @param neighbourBytes reachable with the buffers though no part of them
 * @param copiedBytes between buffers and bounce slots
 */
public record PolicyResult(
        PolicyCase plan,
        long packets,
        long dmaPicos,
        long stackPicos,
        long walkPicos,
        long wirePicos,
        long invalidations,
        long misses,
        long walkAccesses,
        long stalePageNanos,
        long longestStaleNanos,
        long neighbourBytes,
        long copiedBytes) {

    private static final double PICOS_PER_SECOND = 1e12;
    private static final double PICOS_PER_NANO = 1e3;

    /** Both directions together, one processor; bound by it, by the line or by the walks. */
    public double packetsPerSecond() {
        return rate(dmaPicos + stackPicos);
    }

    /** The same if the processor did nothing but map and unmap: what the IOMMU alone would allow. */
    public double packetsPerSecondOfMapping() {
        return rate(dmaPicos);
    }

    /** The processor, the two directions of the line and the unit work side by side; the slowest counts. */
    private double rate(long processorPicos) {
        double slowest = Math.max(processorPicos, Math.max(wirePicos / 2.0, walkPicos));
        return packets / slowest * PICOS_PER_SECOND;
    }

    /** Nanoseconds in map and unmap. */
    public double nanosPerPacket() {
        return dmaPicos / PICOS_PER_NANO / packets;
    }

    /** @param count of this result */
    public double perPacket(long count) {
        return (double) count / packets;
    }
}

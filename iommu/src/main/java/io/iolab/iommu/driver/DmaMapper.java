package io.iolab.iommu.driver;

/**
 * What a device driver sees of the IOMMU: buffers of any address and length become addresses for the device, and stop being so, under
 * one {@link DmaPolicy}. Made by {@link IommuDriver#createMapper}; every mapping lies in its domain.
 *
 * <pre>
 *   driver --map(hpa, length, direction)--> iova --> descriptor --> device
 *          --unmap(iova)-->  strict: page table, IOTLB, wait           deferred: page table; flush later (poll)
 *                            shadow: copy back, slot is free           pass-through: nothing
 * </pre>
 *
 * <p>Pages are what a unit protects: a mapping by page shows the device whatever else lies on the buffer's first and last page.
 *
 * <p>Threading: as {@link IommuDriver}; devices may use mappings meanwhile. {@link #map} and {@link #unmap} of sizes that were used
 * before allocate nothing.
 */
public interface DmaMapper {
    /** What {@link #map} returns when there is no room; like every negative number it is no address. */
    long FAILED = -1;

    /** Unmaps that one deferred flush serves at most (Linux commit 5e0d2a6fc094). */
    int FLUSH_ENTRIES = 250;

    /** Nanoseconds that an unmap waits for its flush at most, given that {@link #poll} is called in time. */
    long FLUSH_NANOS = 10_000_000;

    /** What {@link #nextFlushNanos} returns while no flush is due. */
    long NEVER = Long.MAX_VALUE;

    DmaPolicy policy();

    /**
     * Makes a buffer reachable.
     *
     * @param bufferHpa host physical, any alignment
     * @param length bytes, 1 or more; the buffer is contiguous in host memory
     * @return the first byte's address for the device, or {@link #FAILED} if addresses or slots have run out, or the buffer is larger
     *     than the policy takes
     * @throws IllegalArgumentException if that is no range of memory
     */
    long map(long bufferHpa, long length, DmaDirection direction);

    /**
     * Takes a buffer from the device; after a policy's window, nothing of it is reachable. Data that the device wrote is in the buffer.
     *
     * @param iova as {@link #map} returned it
     * @throws IllegalStateException if nothing is mapped there
     */
    default void unmap(long iova) {
        unmap(iova, Long.MAX_VALUE);
    }

    /**
     * The same when the driver knows that the device wrote only the first bytes: no more than those are copied back.
     *
     * @param written bytes from the start; may exceed the buffer
     */
    void unmap(long iova, long written);

    /** Makes what the device wrote so far visible in the buffer, which stays mapped. */
    default void syncForProcessor(long iova) {}

    /** Makes what the processor wrote into the buffer visible to the device. */
    default void syncForDevice(long iova) {}

    /** Carries out a deferred flush whose time has come. */
    default void poll() {}

    /** When {@link #poll} should be called, on the mapper's clock, or {@link #NEVER}. */
    default long nextFlushNanos() {
        return NEVER;
    }

    /** Carries out what is deferred now: when it returns nothing that was unmapped is reachable. */
    default void flush() {}

    /** Buffers mapped now. */
    int mapped();

    DmaCounters counters();

    /**
     * Gives back what the mapper itself holds of its domain.
     *
     * @throws IllegalStateException while a buffer is mapped
     */
    void close();
}

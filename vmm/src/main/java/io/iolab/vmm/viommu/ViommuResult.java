package io.iolab.vmm.viommu;

/**
 * What one mode cost.
 *
 * @param pages of 4 KiB that each call maps or unmaps
 * @param calls maps, and as many unmaps
 * @param map what the maps came to
 * @param unmap what the unmaps came to
 */
public record ViommuResult(ViommuMode mode, int pages, int calls, Share map, Share unmap) {
    /**
     * Figures of all calls of one kind together.
     *
     * @param exits of the guest
     * @param exitPicos what the profile charges for them, the VMM's own work aside
     * @param invalidations that the guest asked for, without waits
     * @param shadowWalks of the VMM through the guest's page tables
     * @param entriesRead by the VMM in the guest's tables
     * @param physicalInvalidations that the host asked the physical unit for on account of these calls, without waits
     */
    public record Share(
            long exits,
            long exitPicos,
            long invalidations,
            long shadowWalks,
            long entriesRead,
            long physicalInvalidations) {
        Share minus(Share earlier) {
            return new Share(
                    exits - earlier.exits,
                    exitPicos - earlier.exitPicos,
                    invalidations - earlier.invalidations,
                    shadowWalks - earlier.shadowWalks,
                    entriesRead - earlier.entriesRead,
                    physicalInvalidations - earlier.physicalInvalidations);
        }
    }
}

package io.iolab.vmm;

import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Path;

/**
 * One guest.
 *
 * @param name unique in the lab; a word of letters, digits and hyphens
 * @param ramBytes a multiple of 2 MiB
 * @param mapped whether an assigned device's DMA mappings are set up; false leaves its domain empty, to show what the IOMMU
 *     does then
 * @param iommu what the guest's own kernel does about its NIC's DMA
 */
public record GuestConfig(
        String name,
        Path path,
        long ramBytes,
        LinkConfig link,
        NicTuning nic,
        Workload workload,
        boolean mapped,
        IommuTuning iommu) {

    /** A guest whose kernel knows of no remapping unit. */
    public GuestConfig(
            String name, Path path, long ramBytes, LinkConfig link, NicTuning nic, Workload workload, boolean mapped) {
        this(name, path, ramBytes, link, nic, workload, mapped, IommuTuning.NONE);
    }
}

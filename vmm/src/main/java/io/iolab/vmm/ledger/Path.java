package io.iolab.vmm.ledger;

import java.util.Locale;

/** How a guest reaches the network. */
public enum Path {
    /** An 82540EM whose every register access is an exit. */
    EMULATED,
    /** virtio-net: shared rings, exits for kicks that are not suppressed. */
    VIRTIO,
    /** An assigned 82574L, or a virtual function of an 82576: BARs mapped, DMA through the IOMMU. */
    PASSTHROUGH,
    /** The same 82574L and driver with no VMM and no IOMMU: the yardstick. */
    NATIVE;

    /** As written in scenarios, reports and meter tags. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

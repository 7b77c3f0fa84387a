package io.iolab.iommu.driver;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;

/**
 * When a device loses what a driver mapped for it, by the names that Linux gives the choices (iommu.passthrough, iommu.strict,
 * swiotlb=force).
 */
public enum DmaPolicy {
    /** No translation: the device reaches all of memory, always. */
    PASS_THROUGH("passthrough"),
    /** Each unmap invalidates and waits: nothing is reachable once it has returned. */
    STRICT("strict"),
    /**
     * Unmaps are collected, and one invalidation of the whole domain serves {@link DmaMapper#FLUSH_ENTRIES} of them, or those of
     * {@link DmaMapper#FLUSH_NANOS}. Until then the device may still reach what was unmapped; its address is not given out again.
     */
    DEFERRED("deferred"),
    /** Bounce buffers: devices reach nothing but a pool that stays mapped, and data is copied on map and unmap. */
    SHADOW("shadow");

    private final String label;

    DmaPolicy(String label) {
        this.label = label;
    }

    /** As {@link IommuDriver#createMapper}. */
    DmaMapper mapper(Domain domain, Clock clock, Memory memory, FrameSource frames) {
        if (domain.isPassThrough() != (this == PASS_THROUGH)) {
            throw new IllegalArgumentException("domain " + domain.id() + " does not suit policy " + label);
        }
        return switch (this) {
            case PASS_THROUGH -> new DirectMapper(domain.limit());
            case STRICT, DEFERRED -> new PageMapper(domain, this, clock);
            case SHADOW -> new ShadowMapper(domain, memory, frames);
        };
    }

    /** As commands and documents spell it. */
    public String label() {
        return label;
    }
}

package io.iolab.vmm;

import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.vmm.viommu.ViommuMode;

/**
 * Whether a guest's kernel drives a remapping unit for its NIC, and how it maps buffers there.
 *
 * @param viommu the unit that an assigned NIC's guest sees; on the native path the kernel drives the host's own and this is none
 * @param policy of the kernel's mappings; passthrough on the native path is a domain in which everything is reachable
 */
public record IommuTuning(Viommu viommu, Policy policy) {
    /** The kernel knows of no unit. */
    public static final IommuTuning NONE = new IommuTuning(Viommu.NONE, Policy.NONE);

    /** What a guest sees of a unit. */
    public enum Viommu {
        /** Nothing: the host maps the guest's memory once. */
        NONE,
        /** One in legacy mode with caching mode, whose tables are shadowed. */
        SHADOW,
        /** One in scalable mode, whose first-level tables are nested on the host's second-level table. */
        NESTED;

        ViommuMode mode() {
            return switch (this) {
                case NONE -> throw new IllegalStateException("no unit");
                case SHADOW -> ViommuMode.SHADOW_QUEUE;
                case NESTED -> ViommuMode.NESTED;
            };
        }
    }

    /** {@link DmaPolicy}, or none at all. */
    public enum Policy {
        NONE,
        PASSTHROUGH,
        STRICT,
        DEFERRED,
        SHADOW;

        DmaPolicy dmaPolicy() {
            return switch (this) {
                case NONE -> throw new IllegalStateException("no policy");
                case PASSTHROUGH -> DmaPolicy.PASS_THROUGH;
                case STRICT -> DmaPolicy.STRICT;
                case DEFERRED -> DmaPolicy.DEFERRED;
                case SHADOW -> DmaPolicy.SHADOW;
            };
        }
    }

    /** Whether the host's unit must nest for it. */
    boolean nested() {
        return viommu == Viommu.NESTED;
    }

    /** Whether the kernel drives a unit. */
    public boolean any() {
        return policy != Policy.NONE;
    }
}

package io.iolab.iommu.invalidate;

import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.register.Capabilities;
import org.jspecify.annotations.Nullable;

/**
 * Carries out invalidations on the caches, at exactly the granularity asked for, and counts them. Registers and queue share it:
 * the encodings of granularity are the same in both.
 *
 * <p>Threading: under the unit's lock.
 */
public final class Invalidations {
    private static final int KINDS = InvalidationKind.values().length;
    /** FM: function bits of the source id that do not count. */
    private static final int[] FUNCTION_MASK = {0, 4, 6, 7};

    private final TranslationCaches caches;
    private final Capabilities capabilities;
    private final long[] byRegister = new long[KINDS];
    private final long[] byQueue = new long[KINDS];

    public Invalidations(TranslationCaches caches, Capabilities capabilities) {
        this.caches = caches;
        this.capabilities = capabilities;
    }

    /**
     * @param granularity 1 global, 2 domain, 3 device
     * @return what was done, or null when the granularity is reserved and nothing was
     */
    @Nullable
    InvalidationKind context(int granularity, int domain, int rid, int functionMask) {
        switch (granularity) {
            case 1 -> {
                caches.contexts().invalidateAll();
                return InvalidationKind.CONTEXT_GLOBAL;
            }
            case 2 -> {
                caches.contexts().invalidateDomain(domain);
                return InvalidationKind.CONTEXT_DOMAIN;
            }
            case 3 -> {
                caches.contexts().invalidateDevice(domain, rid, FUNCTION_MASK[functionMask]);
                return InvalidationKind.CONTEXT_DEVICE;
            }
            default -> {
                return null;
            }
        }
    }

    /**
     * @param granularity 1 global, 2 domain, 3 page within domain
     * @param address ADDR, IH and AM as in IVA and in a descriptor; counts for granularity 3
     * @return what was done, or null when the request is one that the unit does not take and nothing was
     */
    @Nullable
    InvalidationKind iotlb(int granularity, int domain, long address) {
        switch (granularity) {
            case 1 -> {
                caches.iotlbGlobal();
                return InvalidationKind.IOTLB_GLOBAL;
            }
            case 2 -> {
                caches.iotlbDomain(domain);
                return InvalidationKind.IOTLB_DOMAIN;
            }
            case 3 -> {
                int addressMask = (int) address & 0x3F;
                if (!capabilities.pageSelective() || addressMask > capabilities.maximumAddressMask()) {
                    return null;
                }
                caches.iotlbPages(domain, address & ~0xFFFL, addressMask, (address & 1 << 6) != 0);
                return InvalidationKind.IOTLB_PAGE;
            }
            default -> {
                return null;
            }
        }
    }

    void countByRegister(InvalidationKind kind) {
        byRegister[kind.ordinal()]++;
    }

    void countByQueue(InvalidationKind kind) {
        byQueue[kind.ordinal()]++;
    }

    /** Commands of this kind given through CCMD and IOTLB. */
    public long byRegister(InvalidationKind kind) {
        return byRegister[kind.ordinal()];
    }

    /** Descriptors of this kind taken from the queue. */
    public long byQueue(InvalidationKind kind) {
        return byQueue[kind.ordinal()];
    }
}

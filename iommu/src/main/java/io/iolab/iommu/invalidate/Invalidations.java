package io.iolab.iommu.invalidate;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.iommu.cache.InterruptEntryCache;
import io.iolab.iommu.cache.TranslationCaches;
import io.iolab.iommu.register.Capabilities;
import org.jspecify.annotations.Nullable;

/**
 * Carries out invalidations on the caches of the unit and of devices, at exactly the granularity asked for, and counts them.
 * Registers and queue share it: the encodings of granularity are the same in both.
 *
 * <p>Threading: under the unit's lock.
 */
public final class Invalidations {
    private static final int KINDS = InvalidationKind.values().length;
    /** FM: function bits of the source id that do not count. */
    private static final int[] FUNCTION_MASK = {0, 4, 6, 7};

    private static final long LEAF_ONLY = 1 << 6;
    private static final long SIZED = 1;
    private static final long PASID_SIZED = 1 << 11;

    private final TranslationCaches caches;
    private final InterruptEntryCache interrupts;
    private final Capabilities capabilities;
    private final long[] byRegister = new long[KINDS];
    private final long[] byQueue = new long[KINDS];

    public Invalidations(TranslationCaches caches, InterruptEntryCache interrupts, Capabilities capabilities) {
        this.caches = caches;
        this.interrupts = interrupts;
        this.capabilities = capabilities;
    }

    Capabilities capabilities() {
        return capabilities;
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
                if (!selectable(address)) {
                    return null;
                }
                caches.iotlbPages(domain, page(address), addressMask(address), (address & LEAF_ONLY) != 0);
                return InvalidationKind.IOTLB_PAGE;
            }
            default -> {
                return null;
            }
        }
    }

    private static long page(long address) {
        return address & ~0xFFFL;
    }

    private static int addressMask(long address) {
        return (int) address & 0x3F;
    }

    private boolean selectable(long address) {
        return capabilities.pageSelective() && addressMask(address) <= capabilities.maximumAddressMask();
    }

    /** A PASID-based IOTLB descriptor; null as above. */
    @Nullable
    InvalidationKind pasidIotlb(long low, long address) {
        int domain = InvalidationDescriptor.domain(low);
        int pasid = InvalidationDescriptor.pasid(low);
        switch (InvalidationDescriptor.granularity(low)) {
            case 2 -> {
                caches.pasidIotlb(domain, pasid);
                return InvalidationKind.PASID_IOTLB_ALL;
            }
            case 3 -> {
                if (!selectable(address)) {
                    return null;
                }
                caches.pasidIotlbPages(domain, pasid, page(address), addressMask(address), (address & LEAF_ONLY) != 0);
                return InvalidationKind.PASID_IOTLB_PAGE;
            }
            default -> {
                return null;
            }
        }
    }

    /** A PASID-cache descriptor; null as above. */
    @Nullable
    InvalidationKind pasidCache(long low) {
        int domain = InvalidationDescriptor.domain(low);
        switch (InvalidationDescriptor.granularity(low)) {
            case 0 -> {
                caches.pasids().invalidateDomain(domain);
                return InvalidationKind.PASID_DOMAIN;
            }
            case 1 -> {
                caches.pasids().invalidatePasid(domain, InvalidationDescriptor.pasid(low));
                return InvalidationKind.PASID_ONE;
            }
            case 3 -> {
                caches.pasids().invalidateAll();
                return InvalidationKind.PASID_GLOBAL;
            }
            default -> {
                return null;
            }
        }
    }

    /** An interrupt-entry-cache descriptor; null as above. */
    @Nullable
    InvalidationKind interruptEntries(long low) {
        if ((low & 1 << 4) == 0) {
            interrupts.invalidateAll();
            return InvalidationKind.INTERRUPT_GLOBAL;
        }
        int mask = InvalidationDescriptor.interruptMask(low);
        if (mask > capabilities.maximumHandleMask()) {
            return null;
        }
        interrupts.invalidate(InvalidationDescriptor.interruptIndex(low), mask);
        return InvalidationKind.INTERRUPT_INDEX;
    }

    /** @return whether the device completed the invalidation */
    boolean deviceTlb(int rid, long high) {
        return ask(rid, high, (high & SIZED) != 0, TranslationPort.NO_PASID, false);
    }

    /** @return whether the device completed the invalidation */
    boolean pasidDeviceTlb(int rid, long high, int pasid) {
        return ask(rid, high, (high & PASID_SIZED) != 0, pasid, InvalidationDescriptor.allPasids(high));
    }

    private boolean ask(int rid, long high, boolean sized, int pasid, boolean allPasids) {
        AddressTranslationCache device = caches.devices().find(rid);
        int shift = InvalidationDescriptor.blockShift(high, sized);
        long iova = shift > 63 ? 0 : high >>> shift << shift;
        return device != null && device.invalidate(iova, shift, pasid, allPasids);
    }

    /** A response for a requester without a cache is lost, as a message to a device that is gone would be. */
    void pageGroupResponse(long low, long high) {
        AddressTranslationCache device = caches.devices().find(InvalidationDescriptor.lowRequester(low));
        if (device != null) {
            int pasid = InvalidationDescriptor.pasidPresent(low)
                    ? InvalidationDescriptor.pasid(low)
                    : TranslationPort.NO_PASID;
            device.pageGroupResponse(
                    pasid, InvalidationDescriptor.pageRequestGroup(high), InvalidationDescriptor.responseCode(low));
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

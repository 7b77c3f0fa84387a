package io.iolab.iommu;

import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.walk.AddressSpace;
import io.iolab.iommu.walk.PageWalk;

/**
 * What an entry of the IOTLB means to a request that it does not let through: the reason that a walk would have found when the entry
 * was filled.
 */
final class Denial {
    private Denial() {}

    /**
     * The entry that keeps an absence in mind (caching mode). If it is the second level's, what the first level grants stays with it:
     * a request that the first level denies is denied for that.
     */
    static long absent(FaultReason reason, PageWalk walk) {
        boolean second = reason == FaultReason.NESTED_DENIED;
        return Iotlb.entry(12, 0, second ? Iotlb.SECOND_LEVEL_DENIES | walk.grantedByFirstLevel() : 0);
    }

    static FaultReason reason(AddressSpace space, long entry, long needs) {
        boolean read = (needs & Iotlb.READ) != 0;
        if (!space.isScalable()) {
            return read ? FaultReason.READ_DENIED : FaultReason.WRITE_DENIED;
        }
        FaultReason denied = read ? FaultReason.SCALABLE_READ_DENIED : FaultReason.SCALABLE_WRITE_DENIED;
        if (space.kind() == AddressSpace.Kind.SECOND_LEVEL) {
            return denied;
        }
        if ((space.required() & Iotlb.USER & ~entry) != 0) {
            return FaultReason.USER_DENIED;
        }
        if ((space.required() & ~entry) != 0) {
            return FaultReason.EXECUTE_DENIED;
        }
        long firstLevel =
                space.writeRights() == Iotlb.WRITE ? Iotlb.FIRST_LEVEL_WRITE : Iotlb.FIRST_LEVEL_SUPERVISOR_WRITE;
        return read || (entry & firstLevel) != 0 ? FaultReason.NESTED_DENIED : denied;
    }

    /** What a function is told of a page that its request may use at least in part. */
    static void completion(AddressSpace space, long entry, long iova, int wanted, TranslationCompletion into) {
        boolean usable = (space.required() & Iotlb.USER & ~entry) == 0;
        boolean executable =
                (entry & ((space.required() & Iotlb.USER) != 0 ? Iotlb.EXECUTE : Iotlb.SUPERVISOR_EXECUTE)) != 0;
        int rights = (entry & Iotlb.READ) != 0 ? TranslationPort.READ : 0;
        rights |= (entry & space.writeRights()) != 0 ? TranslationPort.WRITE : 0;
        rights |= executable && (wanted & TranslationPort.EXECUTE) != 0 ? TranslationPort.EXECUTE : 0;
        int shift = Iotlb.pageShift(entry);
        into.set(Iotlb.hpa(entry, iova) & -(1L << shift), shift, usable ? rights : 0);
        into.mark(false, false, (wanted & TranslationPort.PRIVILEGED) != 0, false);
    }
}

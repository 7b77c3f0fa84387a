package io.iolab.iommu.driver;

import java.util.Set;

/**
 * Invalidations as domains and attachments need them, in the commands of the mode in force: second-level translations by domain,
 * first-level ones by domain and PASID (VT-d 6.5.2.3, 6.5.2.4).
 *
 * <p>The order is from the top down, each waited for: context, PASID, IOTLB, then device TLBs, or one could be refilled from a stale
 * one above it (VT-d 6.5.3).
 */
final class DomainInvalidator {
    private final UnitRegisters unit;
    private final Invalidator invalidator;
    private final TableMode mode;

    DomainInvalidator(UnitRegisters unit, Invalidator invalidator, TableMode mode) {
        this.unit = unit;
        this.invalidator = invalidator;
        this.mode = mode;
    }

    /** After a new root pointer. */
    void everything() {
        invalidator.contextGlobal();
        if (mode.isScalable()) {
            invalidator.pasidGlobal();
        }
        invalidator.iotlbGlobal();
    }

    void domain(int domain) {
        if (mode.isFirstLevel()) {
            invalidator.pasidIotlb(domain, PasidTables.PASID);
        } else {
            invalidator.iotlbDomain(domain);
        }
    }

    /** One naturally aligned block that covers the range, or the whole domain when the unit takes no block that large. */
    void pages(int domain, long iova, long length, boolean leafOnly) {
        int addressMask = addressMask(iova, length);
        long block = iova >>> 12 + addressMask << 12 + addressMask;
        if (addressMask > unit.maximumAddressMask()) {
            domain(domain);
        } else if (mode.isFirstLevel()) {
            invalidator.pasidIotlbPages(domain, PasidTables.PASID, block, addressMask, leafOnly);
        } else {
            invalidator.iotlbPages(domain, block, addressMask, leafOnly);
        }
    }

    /** The order of the smallest naturally aligned block of pages around the range. */
    private static int addressMask(long iova, long length) {
        return 64 - Long.numberOfLeadingZeros(iova >>> 12 ^ iova + length - 1 >>> 12);
    }

    /** A field of the PASID entries that lead to a domain has changed; what was translated through them is for {@link #domain}. */
    void pasidEntries(int domain) {
        invalidator.pasid(domain, PasidTables.PASID);
    }

    /** Structures of a requester that were absent are there: units with caching mode remember the absence under domain 0. */
    void appeared(int rid, int domain) {
        invalidator.contextDevice(0, rid);
        if (mode.isScalable()) {
            invalidator.pasid(0, PasidTables.PASID);
        }
        domain(domain);
    }

    /** Structures of a requester that led to this domain are gone. A context entry of scalable mode names no domain. */
    void disappeared(int rid, int domain) {
        invalidator.contextDevice(mode.isScalable() ? 0 : domain, rid);
        if (mode.isScalable()) {
            invalidator.pasid(domain, PasidTables.PASID);
        }
        domain(domain);
    }

    /**
     * What devices have cached of a range.
     *
     * @return the first requester that did not say that it is done, or -1
     */
    int devicePages(Set<Integer> rids, long iova, long length) {
        int addressMask = addressMask(iova, length);
        long block = iova >>> 12 + addressMask << 12 + addressMask;
        for (int rid : rids) {
            if (!invalidator.deviceTlb(rid, block, addressMask)) {
                return rid;
            }
        }
        return -1;
    }

    /** All that one device has cached; whether it said that it is done. */
    boolean device(int rid) {
        return invalidator.deviceTlb(rid, 0, Invalidator.ALL_PAGES);
    }
}

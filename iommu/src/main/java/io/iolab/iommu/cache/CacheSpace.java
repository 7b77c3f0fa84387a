package io.iolab.iommu.cache;

/**
 * The tag of a cached translation: whose it is (VT-d 6.2.4). Second-level translations belong to a domain; first-level and nested
 * ones to a PASID in a domain.
 */
public final class CacheSpace {
    static final int PASID_SHIFT = 16;

    /** The widest address; first-level addresses are cut to it, since their upper bits repeat bit 56. */
    static final int ADDRESS_BITS = 57;

    static final long DOMAIN = 0xFFFF;
    static final long PASID = 0xF_FFFFL << PASID_SHIFT;
    static final long FIRST_LEVEL = 1L << 36;

    private static final long ADDRESS = (1L << ADDRESS_BITS) - 1;

    private CacheSpace() {}

    /** Tag of second-level translations. */
    public static long ofDomain(int domain) {
        return domain;
    }

    /** Tag of first-level and nested translations. */
    public static long ofPasid(int domain, int pasid) {
        return FIRST_LEVEL | (long) pasid << PASID_SHIFT | domain;
    }

    static long page(long iova, int shift) {
        return (iova & ADDRESS) >>> shift;
    }

    static long address(long iova) {
        return iova & ADDRESS;
    }
}

package io.iolab.iommu.invalidate;

/**
 * A 128-bit invalidation descriptor as pure functions on its two words (VT-d 6.5.2). Reserved masks are those of the legacy-mode
 * layout; page-request drain (bit 7 of a wait) is reserved because the unit offers no page requests.
 */
final class InvalidationDescriptor {
    static final int BYTES = 16;

    static final int CONTEXT = 1;
    static final int IOTLB = 2;
    static final int WAIT = 5;

    /** IF, SW and FN of a wait. */
    static final int INTERRUPT = 1 << 4;

    static final int STATUS_WRITE = 1 << 5;
    static final int FENCE = 1 << 6;

    private InvalidationDescriptor() {}

    /** Bits 3:0, extended by bits 11:9. */
    static int type(long low) {
        return (int) (low & 0xF | low >>> 5 & 0x70);
    }

    static int granularity(long low) {
        return (int) (low >>> 4) & 3;
    }

    static int domain(long low) {
        return (int) (low >>> 16) & 0xFFFF;
    }

    static int requester(long low) {
        return (int) (low >>> 32) & 0xFFFF;
    }

    static int functionMask(long low) {
        return (int) (low >>> 48) & 3;
    }

    static int statusData(long low) {
        return (int) (low >>> 32);
    }

    static boolean reservedSet(long low, long high) {
        return switch (type(low)) {
            case CONTEXT -> (low & 0xFFFC_0000_0000_F1C0L) != 0 || high != 0;
            case IOTLB -> (low & 0xFFFF_FFFF_0000_F100L) != 0 || (high & 0xF80) != 0;
            case WAIT -> (low & 0xFFFF_F180L) != 0 || (high & 3) != 0;
            default -> false;
        };
    }
}

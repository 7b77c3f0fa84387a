package io.iolab.iommu.invalidate;

import io.iolab.devices.dma.AddressTranslationCache;
import io.iolab.iommu.register.Capabilities;

/**
 * An invalidation descriptor as pure functions on its words (VT-d 6.5.2, and 7.7 for the page group response). Of a 256-bit descriptor
 * the upper two words are zero, but for private data of a response.
 */
final class InvalidationDescriptor {
    static final int BYTES = 16;
    static final int WIDE_BYTES = 32;

    static final int CONTEXT = 1;
    static final int IOTLB = 2;
    static final int DEVICE_TLB = 3;
    static final int INTERRUPT_ENTRY = 4;
    static final int WAIT = 5;
    static final int PASID_IOTLB = 6;
    static final int PASID_CACHE = 7;
    static final int PASID_DEVICE_TLB = 8;
    static final int PAGE_GROUP_RESPONSE = 9;

    /** IF, SW, FN and PD of a wait. */
    static final int INTERRUPT = 1 << 4;

    static final int STATUS_WRITE = 1 << 5;
    static final int FENCE = 1 << 6;
    static final int PAGE_REQUEST_DRAIN = 1 << 7;

    private static final long PASID_PRESENT = 1 << 4;
    private static final long PRIVATE_DATA = 1 << 5;
    private static final long ALL_PASIDS = 1;
    private static final int PASID_MASK = 0xF_FFFF;

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

    /** SID of a context and of a device-TLB invalidation. */
    static int requester(long low) {
        return (int) (low >>> 32) & 0xFFFF;
    }

    /** SID of a PASID-based device-TLB invalidation, and the requester of a response. */
    static int lowRequester(long low) {
        return (int) (low >>> 16) & 0xFFFF;
    }

    static int functionMask(long low) {
        return (int) (low >>> 48) & 3;
    }

    static int pasid(long low) {
        return (int) (low >>> 32) & PASID_MASK;
    }

    static int statusData(long low) {
        return (int) (low >>> 32);
    }

    /** IIDX and IM of an interrupt-entry-cache invalidation. */
    static int interruptIndex(long low) {
        return (int) (low >>> 32) & 0xFFFF;
    }

    static int interruptMask(long low) {
        return (int) (low >>> 27) & 0x1F;
    }

    static boolean pasidPresent(long low) {
        return (low & PASID_PRESENT) != 0;
    }

    static int responseCode(long low) {
        return (int) (low >>> 12) & 0xF;
    }

    static int pageRequestGroup(long high) {
        return (int) (high >>> 3) & 0x1FF;
    }

    static boolean allPasids(long high) {
        return (high & ALL_PASIDS) != 0;
    }

    /**
     * Size of the block that a device-TLB invalidation covers, as a shift: one page, or twice as many as consecutive ones from bit 12
     * of the address up say.
     *
     * @param sized the S bit
     */
    static int blockShift(long high, boolean sized) {
        if (!sized) {
            return 12;
        }
        int shift = 13 + Long.numberOfTrailingZeros(~(high >>> 12));
        return shift > 63 ? AddressTranslationCache.ALL : shift;
    }

    /** Whether the unit carries out descriptors of this type. */
    static boolean offered(int type, Capabilities capabilities) {
        return switch (type) {
            case CONTEXT, IOTLB, WAIT -> true;
            case DEVICE_TLB -> capabilities.deviceTlb();
            case INTERRUPT_ENTRY -> capabilities.interruptRemapping();
            case PASID_IOTLB, PASID_CACHE -> capabilities.scalableMode();
            case PASID_DEVICE_TLB -> capabilities.scalableMode() && capabilities.deviceTlb();
            case PAGE_GROUP_RESPONSE -> capabilities.pageRequests();
            default -> false;
        };
    }

    /** @param low of an offered type */
    static boolean reservedSet(long low, long high, Capabilities capabilities) {
        return switch (type(low)) {
            case CONTEXT -> (low & 0xFFFC_0000_0000_F1C0L) != 0 || high != 0;
            case IOTLB -> (low & 0xFFFF_FFFF_0000_F100L) != 0 || (high & 0xF80) != 0;
            case DEVICE_TLB -> (low & 0x000F_0000_FFE0_01F0L) != 0 || (high & 0xFFE) != 0;
            case INTERRUPT_ENTRY -> (low & 0xFFFF_0000_07FF_F1E0L) != 0 || high != 0;
            case WAIT ->
                (low & (capabilities.pageRequestDrain() ? 0xFFFF_F100L : 0xFFFF_F180L)) != 0 || (high & 3) != 0;
            case PASID_IOTLB -> (low & 0xFFF0_0000_0000_F1C0L) != 0 || (high & 0xF80) != 0;
            case PASID_CACHE -> (low & 0xFFF0_0000_0000_F1C0L) != 0 || high != 0;
            case PASID_DEVICE_TLB -> (high & 0x7FE) != 0;
            case PAGE_GROUP_RESPONSE -> (low & 0xFFF0_0000_0000_01C0L) != 0 || (high & ~0xFFCL) != 0;
            default -> true;
        };
    }

    /** Whether the upper half of a 256-bit descriptor holds something, which only a response with private data may. */
    static boolean upperReservedSet(long low, long third, long fourth) {
        boolean mayHold = type(low) == PAGE_GROUP_RESPONSE && (low & PRIVATE_DATA) != 0;
        return !mayHold && (third | fourth) != 0;
    }
}

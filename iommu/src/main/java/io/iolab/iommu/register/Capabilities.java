package io.iolab.iommu.register;

/**
 * What a unit offers, as software reads it from CAP and ECAP. The model asks this record too, so that what it announces and
 * what it does cannot differ.
 *
 * @param cap the CAP register (VT-d 10.4.2)
 * @param ecap the ECAP register (VT-d 10.4.3)
 * @param hostAddressWidth bits in a host physical address, 32 to 52; told to software by the DMAR table, not by a register
 */
public record Capabilities(long cap, long ecap, int hostAddressWidth) {
    /** CAP.RWBF: structures that change from not present to present need GCMD.WBF. */
    public static final long WRITE_BUFFER_FLUSH = 1L << 4;

    public static final long CACHING_MODE = 1L << 7;
    public static final long ZERO_LENGTH_READ = 1L << 22;
    public static final long LARGE_PAGES_2M = 1L << 34;
    public static final long LARGE_PAGES_1G = 1L << 35;
    public static final long PAGE_SELECTIVE = 1L << 39;
    public static final int SAGAW_SHIFT = 8;
    public static final int MGAW_SHIFT = 16;
    public static final int FRO_SHIFT = 24;
    public static final int NFR_SHIFT = 40;
    public static final int MAMV_SHIFT = 48;

    /** ECAP.C: page walks snoop the processor's caches. */
    public static final long COHERENT = 1L;

    public static final long QUEUED_INVALIDATION = 1L << 1;
    public static final long DEVICE_TLB = 1L << 2;
    public static final long INTERRUPT_REMAPPING = 1L << 3;
    public static final long PASS_THROUGH = 1L << 6;
    public static final int IRO_SHIFT = 8;

    /** Bits in a domain id: 4 + 2 ND. */
    public int domainIdBits() {
        return 4 + 2 * (int) (cap & 7);
    }

    public boolean cachingMode() {
        return (cap & CACHING_MODE) != 0;
    }

    public boolean zeroLengthReads() {
        return (cap & ZERO_LENGTH_READ) != 0;
    }

    /** Whether SAGAW has the bit of this AW code: 1 for 39 bits, 2 for 48, 3 for 57. */
    public boolean supportsWidth(int awCode) {
        return awCode >= 0 && awCode <= 4 && (cap >>> SAGAW_SHIFT + awCode & 1) != 0;
    }

    /** Bits in the largest guest address: MGAW + 1. */
    public int guestAddressWidth() {
        return (int) (cap >>> MGAW_SHIFT & 0x3F) + 1;
    }

    public boolean largePages2M() {
        return (cap & LARGE_PAGES_2M) != 0;
    }

    public boolean largePages1G() {
        return (cap & LARGE_PAGES_1G) != 0;
    }

    public boolean pageSelective() {
        return (cap & PAGE_SELECTIVE) != 0;
    }

    /** MAMV: a page-selective invalidation covers at most 2 to this power 4 KiB pages. */
    public int maximumAddressMask() {
        return (int) (cap >>> MAMV_SHIFT & 0x3F);
    }

    public int faultRecords() {
        return (int) (cap >>> NFR_SHIFT & 0xFF) + 1;
    }

    public boolean queuedInvalidation() {
        return (ecap & QUEUED_INVALIDATION) != 0;
    }

    public boolean deviceTlb() {
        return (ecap & DEVICE_TLB) != 0;
    }

    public boolean interruptRemapping() {
        return (ecap & INTERRUPT_REMAPPING) != 0;
    }

    public boolean passThrough() {
        return (ecap & PASS_THROUGH) != 0;
    }

    /** Ones in the bits of a host physical address. */
    public long hostAddressMask() {
        return (1L << hostAddressWidth) - 1;
    }
}

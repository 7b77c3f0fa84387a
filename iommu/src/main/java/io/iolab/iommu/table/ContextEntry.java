package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/** A legacy-mode context entry: 16 bytes, 256 in a page, indexed by device and function (VT-d 9.3). */
public final class ContextEntry {
    public static final int BYTES = 16;

    /** TT: untranslated requests go through the second-level table; translated ones are blocked. */
    public static final int TYPE_UNTRANSLATED = 0;

    /** TT: as above, and address translation services are allowed. */
    public static final int TYPE_DEVICE_TLB = 1;

    public static final int TYPE_PASS_THROUGH = 2;

    /** High bits 63:24 and 7. */
    private static final long RESERVED_HIGH = 0xFFFF_FFFF_FF00_0080L;

    private static final long RESERVED_LOW = 0xFF0L;

    private ContextEntry() {}

    /** @param contextTableHpa page-aligned */
    public static long hpa(long contextTableHpa, int devfn) {
        return contextTableHpa + (long) devfn * BYTES;
    }

    public static boolean present(long low) {
        return (low & 1) != 0;
    }

    /** FPD: qualified faults found at or below this entry are not recorded. */
    public static boolean faultsDisabled(long low) {
        return (low & 2) != 0;
    }

    public static int translationType(long low) {
        return (int) (low >>> 2) & 3;
    }

    public static long pageTable(long low, Capabilities capabilities) {
        return low & capabilities.hostAddressMask() & ~0xFFFL;
    }

    /** AW: 1 for 39 bits, 2 for 48, 3 for 57. */
    public static int addressWidthCode(long high) {
        return (int) high & 7;
    }

    /** Levels of the page table; meaningful for a valid AW. */
    public static int levels(long high) {
        return addressWidthCode(high) + 2;
    }

    /** Bits of an address that the page table translates; meaningful for a valid AW. */
    public static int addressWidth(long high) {
        return 30 + 9 * addressWidthCode(high);
    }

    public static int domain(long high) {
        return (int) (high >>> 8) & 0xFFFF;
    }

    /** Domain id bits above the width that CAP.ND gives are reserved too. */
    public static boolean reservedSet(long low, long high, Capabilities capabilities) {
        long domainBeyond = 0xFFFFL << 8 + capabilities.domainIdBits() & 0xFF_FF00L;
        return (low & (~capabilities.hostAddressMask() | RESERVED_LOW)) != 0
                || (high & (RESERVED_HIGH | domainBeyond)) != 0;
    }

    /** Whether TT and AW are ones that this unit offers. */
    public static boolean valid(long low, long high, Capabilities capabilities) {
        boolean type = switch (translationType(low)) {
            case TYPE_UNTRANSLATED -> true;
            case TYPE_DEVICE_TLB -> capabilities.deviceTlb();
            case TYPE_PASS_THROUGH -> capabilities.passThrough();
            default -> false;
        };
        return type && capabilities.supportsWidth(addressWidthCode(high));
    }
}

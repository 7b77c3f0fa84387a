package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/** A legacy-mode root entry: 16 bytes, 256 in a page, indexed by bus (VT-d 9.1). */
public final class RootEntry {
    public static final int BYTES = 16;

    private RootEntry() {}

    /** @param rootTableHpa page-aligned */
    public static long hpa(long rootTableHpa, int bus) {
        return rootTableHpa + (long) bus * BYTES;
    }

    public static boolean present(long low) {
        return (low & 1) != 0;
    }

    public static long contextTable(long low, Capabilities capabilities) {
        return low & capabilities.hostAddressMask() & ~0xFFFL;
    }

    /** Whether a bit other than P and an address within the host's width is set. */
    public static boolean reservedSet(long low, long high, Capabilities capabilities) {
        return (low & (~capabilities.hostAddressMask() | 0xFFE)) != 0 || high != 0;
    }
}

package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/** A PASID directory entry: 8 bytes, indexed by PASID 19:6 (VT-d 9.5). */
public final class PasidDirectoryEntry {
    public static final int BYTES = 8;

    private PasidDirectoryEntry() {}

    public static long hpa(long directoryHpa, int pasid) {
        return directoryHpa + (long) (pasid >>> 6) * BYTES;
    }

    public static boolean present(long entry) {
        return (entry & 1) != 0;
    }

    /** FPD. */
    public static boolean faultsDisabled(long entry) {
        return (entry & 2) != 0;
    }

    public static long table(long entry, Capabilities capabilities) {
        return entry & capabilities.hostAddressMask() & ~0xFFFL;
    }

    public static boolean reservedSet(long entry, Capabilities capabilities) {
        return (entry & (~capabilities.hostAddressMask() | 0xFFC)) != 0;
    }
}

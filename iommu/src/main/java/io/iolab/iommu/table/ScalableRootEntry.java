package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/**
 * A scalable-mode root entry: 16 bytes, 256 in a page, indexed by bus (VT-d 9.2). The low half leads to the context table of
 * devices 0 to 15, the high half to that of devices 16 to 31; either may be absent.
 */
public final class ScalableRootEntry {
    public static final int BYTES = 16;

    private ScalableRootEntry() {}

    /**
     * Where the half is that serves a function.
     *
     * @param rootTableHpa page-aligned
     */
    public static long halfHpa(long rootTableHpa, int rid) {
        return rootTableHpa + (long) (rid >>> 8 & 0xFF) * BYTES + (rid >>> 7 & 1) * 8L;
    }

    public static boolean present(long half) {
        return (half & 1) != 0;
    }

    public static long contextTable(long half, Capabilities capabilities) {
        return half & capabilities.hostAddressMask() & ~0xFFFL;
    }

    public static boolean reservedSet(long half, Capabilities capabilities) {
        return (half & (~capabilities.hostAddressMask() | 0xFFE)) != 0;
    }
}

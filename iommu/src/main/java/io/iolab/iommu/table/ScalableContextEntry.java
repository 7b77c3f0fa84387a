package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/**
 * A scalable-mode context entry: 32 bytes, 128 in a page, indexed by the low 7 bits of device and function (VT-d 9.4). It names no
 * domain, only a PASID directory.
 */
public final class ScalableContextEntry {
    public static final int BYTES = 32;

    private static final long DEVICE_TLB = 1 << 2;
    private static final long PASID_ENABLE = 1 << 3;
    private static final long PAGE_REQUESTS = 1 << 4;
    private static final long RESERVED_LOW = 0x1E0;
    private static final long REQUESTER_PASID = 0xF_FFFF;
    private static final long REQUESTER_PRIVILEGE = 1L << 20;

    private ScalableContextEntry() {}

    /** @param contextTableHpa page-aligned */
    public static long hpa(long contextTableHpa, int rid) {
        return contextTableHpa + (long) (rid & 0x7F) * BYTES;
    }

    public static boolean present(long low) {
        return (low & 1) != 0;
    }

    /** FPD. */
    public static boolean faultsDisabled(long low) {
        return (low & 2) != 0;
    }

    /** DTE: translation requests and translated requests are allowed. */
    public static boolean deviceTlb(long low) {
        return (low & DEVICE_TLB) != 0;
    }

    /** PASIDE: requests with a PASID are allowed. */
    public static boolean pasidEnabled(long low) {
        return (low & PASID_ENABLE) != 0;
    }

    /** PRE: page requests are allowed. */
    public static boolean pageRequests(long low) {
        return (low & PAGE_REQUESTS) != 0;
    }

    public static long directory(long low, Capabilities capabilities) {
        return low & capabilities.hostAddressMask() & ~0xFFFL;
    }

    /** PDTS: the first PASID that is too large for the directory. Each of its 2^(PDTS+7) entries serves 64. */
    public static int pasidLimit(long low) {
        return 1 << (int) (low >>> 9 & 7) + 7 + 6;
    }

    /** RID_PASID: the PASID of requests that carry none. */
    public static int requesterPasid(long high, Capabilities capabilities) {
        return capabilities.requesterPasid() ? (int) (high & REQUESTER_PASID) : 0;
    }

    /** RID_PRIV: requests that carry no PASID have supervisor privilege. */
    public static boolean requesterPrivilege(long high) {
        return (high & REQUESTER_PRIVILEGE) != 0;
    }

    /** Fields of functions that the unit does not offer are reserved. */
    public static boolean reservedSet(long low, long high, Capabilities capabilities) {
        long reservedLow = ~capabilities.hostAddressMask() | RESERVED_LOW;
        reservedLow |= capabilities.deviceTlb() ? 0 : DEVICE_TLB;
        reservedLow |= capabilities.pasid() ? 0 : PASID_ENABLE;
        reservedLow |= capabilities.pageRequests() ? 0 : PAGE_REQUESTS;
        long allowedHigh = capabilities.requesterPasid() ? REQUESTER_PASID : 0;
        allowedHigh |= capabilities.requesterPrivilege() ? REQUESTER_PRIVILEGE : 0;
        return (low & reservedLow) != 0 || (high & ~allowedHigh) != 0;
    }

    /** Whether the fields go together: page requests come from functions with translation services only. */
    public static boolean valid(long low) {
        return deviceTlb(low) || !pageRequests(low);
    }
}

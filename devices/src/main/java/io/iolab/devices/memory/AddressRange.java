package io.iolab.devices.memory;

/**
 * Range arithmetic on unsigned 64-bit addresses, in one place. A range is {@code [base, base + length)}; it may end at
 * 2^64 (base + length == 0 in two's complement) but never wraps past it.
 */
public final class AddressRange {
    /** Bytes in a small page, on x86 and in VT-d alike. */
    public static final int PAGE_SIZE = 4096;

    public static final int PAGE_SHIFT = 12;

    /** Bytes in a large (level 2) page. */
    public static final long LARGE_PAGE_SIZE = 2L << 20;

    private AddressRange() {}

    /**
     * Whether {@code [start, start + length)} lies inside {@code [base, base + size)}. An empty access is inside if its
     * start is inside or at the end.
     *
     * @param size unsigned, 2^63 and above allowed
     * @param length non-negative
     */
    public static boolean contains(long base, long size, long start, long length) {
        long offset = start - base;
        return length >= 0
                && Long.compareUnsigned(offset, size) <= 0
                && Long.compareUnsigned(length, size - offset) <= 0;
    }

    /** Whether two ranges share a byte; both given as start and unsigned length, neither wrapping. */
    public static boolean overlaps(long a, long aLength, long b, long bLength) {
        return Long.compareUnsigned(b - a, aLength) < 0 && bLength != 0
                || Long.compareUnsigned(a - b, bLength) < 0 && aLength != 0;
    }

    /** Whether {@code [start, start + length)} passes the top of the 64-bit address space. */
    public static boolean wraps(long start, long length) {
        return length != 0 && Long.compareUnsigned(start + (length - 1), start) < 0;
    }

    /** Bytes from {@code address} to the end of its 4 KiB page: 1 to 4096. */
    public static int bytesToPageEnd(long address) {
        return PAGE_SIZE - (int) (address & (PAGE_SIZE - 1));
    }

    /** {@code address} rounded down to a multiple of {@code alignment}, a power of two. */
    public static long alignDown(long address, long alignment) {
        return address & -alignment;
    }

    /** {@code address} rounded up to a multiple of {@code alignment}, a power of two; wraps to 0 at the top. */
    public static long alignUp(long address, long alignment) {
        return (address + alignment - 1) & -alignment;
    }
}

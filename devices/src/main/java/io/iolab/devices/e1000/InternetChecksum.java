package io.iolab.devices.e1000;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The ones' complement sum of RFC 1071 over parts of a frame. All results are 16-bit values in network order. */
final class InternetChecksum {
    private static final long LOW_HALF = 0xFFFF_FFFFL;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private InternetChecksum() {}

    /**
     * Sums {@code length} bytes; an odd last byte counts as the high half of a word. The sum is taken in little-endian words and
     * swapped at the end, which ones' complement arithmetic allows (RFC 1071 section 2 B).
     */
    static int sum(byte[] bytes, int offset, int length) {
        // At most 2^14 / 8 pairs of terms below 2^32: no overflow.
        int whole = length >>> 3;
        long sum = sumOfLongs(bytes, offset, whole);
        int end = offset + length;
        int at = offset + (whole << 3);
        for (; at <= end - 2; at += 2) {
            sum += bytes[at] & 0xFF | (bytes[at + 1] & 0xFF) << 8;
        }
        if (at < end) {
            sum += bytes[at] & 0xFF;
        }
        int folded = fold(sum);
        return folded << 8 & 0xFF00 | folded >>> 8;
    }

    /** A plain counted loop of its own: the compiler turns it into vector code, which it does not for one with a tail. */
    private static long sumOfLongs(byte[] bytes, int offset, int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            long value = (long) LONG.get(bytes, offset + (i << 3));
            sum += (value & LOW_HALF) + (value >>> 32);
        }
        return sum;
    }

    /** Ends up in 16 bits: end-around carries until none is left. */
    static int fold(long sum) {
        long folded = (sum & 0xFFFF_FFFFL) + (sum >>> 32);
        while (folded >>> 16 != 0) {
            folded = (folded & 0xFFFF) + (folded >>> 16);
        }
        return (int) folded;
    }

    static int word(byte[] bytes, int offset) {
        return (bytes[offset] & 0xFF) << 8 | bytes[offset + 1] & 0xFF;
    }

    static void putWord(byte[] bytes, int offset, int value) {
        bytes[offset] = (byte) (value >>> 8);
        bytes[offset + 1] = (byte) value;
    }
}

package io.iolab.devices.e1000;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The ones' complement sum of RFC 1071 over parts of a frame. All results are 16-bit values in network order. */
final class InternetChecksum {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private InternetChecksum() {}

    /** Sums {@code length} bytes; an odd last byte counts as the high half of a word. */
    static int sum(byte[] bytes, int offset, int length) {
        long sum = 0;
        int end = offset + length;
        int at = offset;
        // At most 2^14 / 4 terms below 2^32: no overflow.
        for (; at <= end - 4; at += 4) {
            sum += (int) INT.get(bytes, at) & 0xFFFF_FFFFL;
        }
        if (at <= end - 2) {
            sum += word(bytes, at);
            at += 2;
        }
        if (at < end) {
            sum += (bytes[at] & 0xFF) << 8;
        }
        return fold(sum);
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

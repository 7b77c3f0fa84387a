package io.iolab.devices.net;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The ones-complement checksum of IPv4, ICMP, UDP and TCP (RFC 1071), and its incremental update (RFC 1624). A partial
 * <em>sum</em> is an unfolded {@code long}; a <em>checksum</em> is the 16-bit field.
 */
public final class InternetChecksum {
    private static final long LOW_HALF = 0xFFFF_FFFFL;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private InternetChecksum() {}

    /**
     * Adds bytes to a partial sum. All parts but the last must have even length, since each starts at an even position of
     * the data that is summed.
     *
     * @param sum 0, or what another call gave
     * @param length up to 2^31 - 1; cannot overflow within 2^31 bytes in all
     */
    public static long add(long sum, byte[] bytes, int offset, int length) {
        int whole = length >>> 3;
        // Summed in little-endian words and swapped at the end, which ones-complement arithmetic allows (RFC 1071
        // section 2 B).
        long little = sumOfLongs(bytes, offset, whole);
        int end = offset + length;
        int at = offset + (whole << 3);
        for (; at <= end - 2; at += 2) {
            little += bytes[at] & 0xFF | (bytes[at + 1] & 0xFF) << 8;
        }
        if (at < end) {
            little += bytes[at] & 0xFF;
        }
        int folded = fold(little);
        return sum + (folded << 8 & 0xFF00 | folded >>> 8);
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

    /** Adds a 16-bit word. */
    public static long add(long sum, int word) {
        return sum + (word & 0xFFFF);
    }

    /**
     * The pseudo-header that UDP and TCP checksum with their segment (RFC 768; RFC 9293 section 3.1).
     *
     * @param length of the segment, header included
     */
    public static long pseudoHeader(int sourceAddress, int destinationAddress, int protocol, int length) {
        return (sourceAddress & 0xFFFF_FFFFL) + (destinationAddress & 0xFFFF_FFFFL) + protocol + length;
    }

    /** The checksum that goes into the field: the complement of the folded sum. */
    public static int finish(long sum) {
        return ~fold(sum) & 0xFFFF;
    }

    /** The checksum of one block of bytes, whose checksum field is zero. */
    public static int of(byte[] bytes, int offset, int length) {
        return finish(add(0, bytes, offset, length));
    }

    /** Whether a sum that includes the checksum field is right: all ones. */
    public static boolean isValid(long sum) {
        return fold(sum) == 0xFFFF;
    }

    /**
     * The checksum after one 16-bit word of the data has changed (RFC 1624 section 3, equation 3).
     *
     * @param checksum the field before
     */
    public static int update(int checksum, int oldWord, int newWord) {
        return ~fold((~checksum & 0xFFFF) + (~oldWord & 0xFFFF) + (newWord & 0xFFFFL)) & 0xFFFF;
    }

    /** Folds the carries back in: 0 only if every word was 0. */
    public static int fold(long sum) {
        long folded = (sum >>> 32) + (sum & 0xFFFF_FFFFL);
        folded = (folded >>> 16) + (folded & 0xFFFF);
        folded = (folded >>> 16) + (folded & 0xFFFF);
        folded = (folded >>> 16) + (folded & 0xFFFF);
        return (int) folded;
    }
}

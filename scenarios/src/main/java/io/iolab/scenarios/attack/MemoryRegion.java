package io.iolab.scenarios.attack;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/**
 * A piece of host memory that belongs to somebody, filled with a canary: bytes that are like no others.
 *
 * @param owner {@code guest B's secret}
 * @param hpa page-aligned
 * @param length bytes
 * @param canary what was there at first
 */
@SuppressWarnings("ArrayRecordComponent") // compared byte by byte, never as a value
record MemoryRegion(String owner, long hpa, int length, byte[] canary) {
    boolean contains(long address) {
        return address >= hpa && address < hpa + length;
    }

    /** Bytes that belong to an owner and to nobody else; they begin with words, for whoever looks at a dump. */
    static byte[] canary(String owner, int length) {
        byte[] canary = new byte[length];
        new SplittableRandom(owner.hashCode()).nextBytes(canary);
        byte[] words = owner.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(words, 0, canary, 0, Math.min(words.length, length));
        return canary;
    }
}

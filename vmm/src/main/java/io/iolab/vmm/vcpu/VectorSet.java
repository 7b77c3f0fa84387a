package io.iolab.vmm.vcpu;

/** 256 bits, one a vector, as IRR, ISR and TMR hold them. */
final class VectorSet {
    final long[] words = new long[4];

    boolean contains(int vector) {
        return (words[vector >>> 6] & 1L << vector) != 0;
    }

    void add(int vector) {
        words[vector >>> 6] |= 1L << vector;
    }

    void remove(int vector) {
        words[vector >>> 6] &= ~(1L << vector);
    }

    /** The vector of highest priority, or -1. */
    int highest() {
        for (int word = 3; word >= 0; word--) {
            if (words[word] != 0) {
                return word * 64 + 63 - Long.numberOfLeadingZeros(words[word]);
            }
        }
        return -1;
    }

    /** The 32 bits of the {@code n}-th register that shows this set. */
    long register(int n) {
        return words[n >>> 1] >>> 32 * (n & 1) & 0xFFFF_FFFFL;
    }

    void clear() {
        java.util.Arrays.fill(words, 0);
    }
}

package io.iolab.devices.net;

import java.io.IOException;

/** What an interface description says about its packets (draft-ietf-opsawg-pcapng section 4.2). */
final class PcapngInterface {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final int NANO_DIGITS = 9;
    /** The largest power of ten below 2^64 is 10^19. */
    private static final int UNSIGNED_DIGITS = 19;

    final int linktype;
    /** 0 for no limit. */
    final long snapLength;

    private boolean binary;
    private int exponent = 6;
    private long offsetSeconds;

    PcapngInterface(int linktype, long snapLength) {
        this.linktype = linktype;
        this.snapLength = snapLength;
    }

    /** if_tsresol: units of 10^-n seconds, or 2^-n with bit 7 set. */
    void resolution(int value) {
        binary = (value & 0x80) != 0;
        exponent = value & 0x7F;
    }

    /** if_tsoffset: to be added to every timestamp. */
    void offsetSeconds(long seconds) {
        offsetSeconds = seconds;
    }

    /**
     * Converts a timestamp, rounding down.
     *
     * @param units unsigned
     * @param at where in the file it is
     */
    long nanos(CaptureInput in, long at, long units) throws IOException {
        try {
            long nanos = binary ? ofBinary(units) : ofDecimal(units);
            return Math.addExact(nanos, Math.multiplyExact(offsetSeconds, NANOS_PER_SECOND));
        } catch (ArithmeticException e) {
            throw in.error(
                    at,
                    "a time before the year 2262",
                    Long.toUnsignedString(units) + " units of " + (binary ? "2^-" : "10^-") + exponent + " s");
        }
    }

    private long ofDecimal(long units) {
        if (exponent > NANO_DIGITS) {
            int digits = exponent - NANO_DIGITS;
            return digits > UNSIGNED_DIGITS ? 0 : Long.divideUnsigned(units, power(digits));
        }
        return Math.multiplyExact(positive(units), power(NANO_DIGITS - exponent));
    }

    /** Ten to the power of 0 to 19, unsigned. */
    private static long power(int digits) {
        long power = 1;
        for (int i = 0; i < digits; i++) {
            power *= 10;
        }
        return power;
    }

    private long ofBinary(long units) {
        if (exponent == 0) {
            return Math.multiplyExact(positive(units), NANOS_PER_SECOND);
        }
        // 128-bit units * 10^9, shifted right by the exponent.
        long high = Math.unsignedMultiplyHigh(units, NANOS_PER_SECOND);
        long low = units * NANOS_PER_SECOND;
        if (exponent >= 64) {
            return high >>> exponent - 64;
        }
        if (high >>> exponent != 0) {
            throw new ArithmeticException();
        }
        return positive(high << 64 - exponent | low >>> exponent);
    }

    private static long positive(long unsigned) {
        if (unsigned < 0) {
            throw new ArithmeticException();
        }
        return unsigned;
    }
}

package io.iolab.devices.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every answer is compared with arithmetic that cannot overflow. */
class AddressRangeTest {
    private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

    /** Where unsigned range arithmetic usually goes wrong. */
    private static final long[] EDGES = {
        0,
        1,
        2,
        4095,
        4096,
        4097,
        8191,
        8192,
        (1L << 21) - 1,
        1L << 21,
        (1L << 31) - 1,
        1L << 31,
        (1L << 32) - 1,
        1L << 32,
        Long.MAX_VALUE - 4096,
        Long.MAX_VALUE - 1,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Long.MIN_VALUE + 1,
        Long.MIN_VALUE + 4096,
        -8192,
        -4097,
        -4096,
        -4095,
        -2,
        -1
    };

    @Test
    void shouldAgreeWithUnboundedArithmeticAtEveryEdge() {
        for (long a : EDGES) {
            for (long aLength : EDGES) {
                for (long b : EDGES) {
                    for (long bLength : EDGES) {
                        check(a, aLength, b, bLength);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldAgreeWithUnboundedArithmeticOnRandomRanges(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 100_000; i++) {
            long a = address(random);
            long b = random.nextBoolean() ? address(random) : a + random.nextLong(-5000, 5000);
            check(a, length(random, a, b), b, length(random, b, a));
        }
    }

    /** Clusters around the edges; uniform 64-bit numbers would never meet one. */
    private static long address(SplittableRandom random) {
        return EDGES[random.nextInt(EDGES.length)] + random.nextLong(-3, 4);
    }

    private static long length(SplittableRandom random, long from, long other) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextLong(0, 8193);
            case 1 -> other - from + random.nextLong(-2, 3);
            case 2 -> -from + random.nextLong(-2, 3);
            default -> EDGES[random.nextInt(EDGES.length)];
        };
    }

    private static void check(long a, long aLength, long b, long bLength) {
        boolean aWraps = end(a, aLength).compareTo(TWO_64) > 0;
        boolean bWraps = end(b, bLength).compareTo(TWO_64) > 0;
        assertThat(AddressRange.wraps(a, aLength)).as("wraps %x+%x", a, aLength).isEqualTo(aWraps);
        if (aWraps) {
            return;
        }
        boolean inside = bLength >= 0
                && unsigned(b).compareTo(unsigned(a)) >= 0
                && end(b, bLength).compareTo(end(a, aLength)) <= 0;
        // A range that ends at 2^64 has 0 as its end in two's complement: an empty access there is "at the end" too.
        boolean emptyAtTop = bLength == 0 && b == 0 && end(a, aLength).equals(TWO_64);
        assertThat(AddressRange.contains(a, aLength, b, bLength))
                .as("[%x+%x) contains [%x+%x)", a, aLength, b, bLength)
                .isEqualTo(inside || emptyAtTop);
        if (!bWraps) {
            boolean shared =
                    unsigned(a).max(unsigned(b)).compareTo(end(a, aLength).min(end(b, bLength))) < 0;
            assertThat(AddressRange.overlaps(a, aLength, b, bLength))
                    .as("[%x+%x) overlaps [%x+%x)", a, aLength, b, bLength)
                    .isEqualTo(shared);
        }
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }

    private static BigInteger end(long start, long length) {
        return unsigned(start).add(unsigned(length));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 4096",
        "1, 4095",
        "4095, 1",
        "4096, 4096",
        "9223372036854775807, 1",
        "-9223372036854775808, 4096",
        "-1, 1"
    })
    void shouldCountBytesToTheEndOfThePage(long address, int expected) {
        assertThat(AddressRange.bytesToPageEnd(address)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 16, 4096, 1L << 21, 1L << 62, Long.MIN_VALUE})
    void shouldAlignAsUnsignedNumbers(long alignment) {
        BigInteger step = unsigned(alignment);
        for (long address : EDGES) {
            BigInteger value = unsigned(address);
            BigInteger down = value.subtract(value.mod(step));
            BigInteger up = down.equals(value) ? value : down.add(step);
            assertThat(unsigned(AddressRange.alignDown(address, alignment)))
                    .as("%x down to %x", address, alignment)
                    .isEqualTo(down);
            assertThat(unsigned(AddressRange.alignUp(address, alignment)))
                    .as("%x up to %x", address, alignment)
                    .isEqualTo(up.mod(TWO_64));
        }
    }
}

package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 1071 and RFC 1624. */
class InternetChecksumTest {

    /** RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2. */
    @Test
    void shouldComputeTheExampleOfRfc1071() {
        byte[] bytes = HexFormat.of().parseHex("0001f203f4f5f6f7");
        assertThat(InternetChecksum.of(bytes, 0, 8)).isEqualTo(~0xDDF2 & 0xFFFF);
    }

    /** RFC 1624 section 4: HC = 0xDD2F, a word changes from 0x5555 to 0x3285, HC' = 0x0000. */
    @Test
    void shouldUpdateTheExampleOfRfc1624() {
        assertThat(InternetChecksum.update(0xDD2F, 0x5555, 0x3285)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0xffff",
        "00, 0xffff",
        "0000, 0xffff",
        "ffff, 0",
        "ffffffff, 0",
        "01, 0xfeff",
        "000001, 0xfeff",
        "0001, 0xfffe"
    })
    void shouldPadAnOddByteOnTheRight(String hex, int expected) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(InternetChecksum.of(bytes, 0, bytes.length)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldAgreeWithAWordByWordSumWithEndAroundCarry(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = randomBytes(random, 200);
            int offset = random.nextInt(bytes.length);
            int length = random.nextInt(bytes.length - offset + 1);
            int expected = naive(bytes, offset, length);
            assertThat(InternetChecksum.of(bytes, offset, length))
                    .as("seed %d", seed)
                    .isEqualTo(expected);
            int split = random.nextInt(length + 1) & ~1;
            long sum = InternetChecksum.add(0, bytes, offset, split);
            sum = InternetChecksum.add(sum, bytes, offset + split, length - split);
            assertThat(InternetChecksum.finish(sum))
                    .as("seed %d, in two parts", seed)
                    .isEqualTo(expected);
            assertThat(InternetChecksum.isValid(InternetChecksum.add(sum, expected)))
                    .as("seed %d", seed)
                    .isTrue();
            assertThat(InternetChecksum.isValid(InternetChecksum.add(sum, expected ^ 0x0100)))
                    .as("seed %d, one bit off", seed)
                    .isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldUpdateToTheChecksumOfTheChangedData(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 5000; i++) {
            byte[] bytes = randomBytes(random, 20);
            bytes[0] |= 1;
            int word = 2 * random.nextInt(1, bytes.length / 2);
            int before = InternetChecksum.of(bytes, 0, bytes.length);
            int oldWord = BigEndian.getShort(bytes, word);
            int newWord = random.nextInt(3) == 0 ? 0xFFFF * random.nextInt(2) : random.nextInt(0x10000);
            BigEndian.putShort(bytes, word, newWord);
            assertThat(InternetChecksum.update(before, oldWord, newWord))
                    .as("seed %d, step %d", seed, i)
                    .isEqualTo(InternetChecksum.of(bytes, 0, bytes.length));
        }
    }

    private static byte[] randomBytes(SplittableRandom random, int most) {
        byte[] bytes = new byte[random.nextInt(4, most)];
        switch (random.nextInt(3)) {
            case 0 -> java.util.Arrays.fill(bytes, (byte) 0xFF);
            default -> random.nextBytes(bytes);
        }
        return bytes;
    }

    private static int naive(byte[] bytes, int offset, int length) {
        int sum = 0;
        for (int i = 0; i < length; i += 2) {
            int low = i + 1 < length ? bytes[offset + i + 1] & 0xFF : 0;
            sum += (bytes[offset + i] & 0xFF) << 8 | low;
            if (sum > 0xFFFF) {
                sum = sum - 0x10000 + 1;
            }
        }
        return ~sum & 0xFFFF;
    }

    /** 2^16 is 1 modulo 2^16 - 1, so every carry out of the long's upper half must come back at the bottom. */
    @Test
    void shouldFoldTheLargestSums() {
        assertThat(InternetChecksum.finish(1L << 60)).isEqualTo(~0x1000 & 0xFFFF);
        assertThat(InternetChecksum.finish(Long.MAX_VALUE)).isEqualTo(~0x7FFF & 0xFFFF);
        assertThat(InternetChecksum.finish(0x7FFF_FFFF_0000_0001L)).isEqualTo(~0x8000 & 0xFFFF);
        assertThat(InternetChecksum.finish(0xFFFF_FFFFL)).isZero();
        assertThat(InternetChecksum.isValid(0x1_FFFE_0001L)).isFalse();
        assertThat(InternetChecksum.isValid(0x1_FFFE_0000L)).isTrue();
    }
}

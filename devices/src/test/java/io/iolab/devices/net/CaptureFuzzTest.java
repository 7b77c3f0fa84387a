package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged files: whatever is missing or changed, the outcome is frames or a {@link CaptureFormatException}. */
class CaptureFuzzTest {

    /** A file and the offsets at which it may end without being damaged. */
    private record Sample(String name, byte[] file, List<Integer> boundaries) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static List<Sample> samples() {
        List<Sample> samples = new ArrayList<>();
        for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
            samples.add(pcap(order));
            samples.add(pcapng(order));
        }
        return samples;
    }

    private static byte[] data(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + length);
        }
        return bytes;
    }

    private static Sample pcap(ByteOrder order) {
        List<Integer> boundaries = new ArrayList<>();
        CaptureBytes file = new CaptureBytes(order).pcapHeader(0xA1B2_3C4D);
        for (int i = 0; i < 4; i++) {
            boundaries.add(file.size());
            file.pcapRecord(i, 5, 60, data(14 + 13 * i));
        }
        boundaries.add(file.size());
        return new Sample("pcap " + order, file.bytes(), boundaries);
    }

    private static Sample pcapng(ByteOrder order) {
        List<Integer> boundaries = new ArrayList<>();
        CaptureBytes file = new CaptureBytes(order).section();
        boundaries.add(file.size());
        CaptureBytes options =
                file.body().option(2, "eth0".getBytes(StandardCharsets.UTF_8)).option(9, new byte[] {9});
        file.describe(1, 100, options.option(14, new byte[8]).u32(0));
        boundaries.add(file.size());
        for (int i = 0; i < 3; i++) {
            file.enhanced(0, 1000L * i, 60, data(15 + 14 * i));
            boundaries.add(file.size());
        }
        file.block(3, file.body().u32(20).raw(data(20)));
        boundaries.add(file.size());
        file.block(2, file.body().u16(0).u16(0).u32(0).u32(5).u32(21).u32(21).raw(data(21)));
        boundaries.add(file.size());
        file.block(0xABCD, file.body().raw(data(30)));
        boundaries.add(file.size());
        file.section();
        boundaries.add(file.size());
        return new Sample("pcapng " + order, file.bytes(), boundaries);
    }

    @ParameterizedTest
    @MethodSource("samples")
    void shouldEndCleanlyAtRecordBoundariesOnly(Sample sample) throws IOException {
        for (int length = 0; length <= sample.file.length; length++) {
            byte[] cut = Arrays.copyOf(sample.file, length);
            if (sample.boundaries.contains(length)) {
                assertThat(CaptureBytes.read(cut)).hasSizeLessThanOrEqualTo(5);
            } else {
                assertThatThrownBy(() -> CaptureBytes.read(cut))
                        .as("%d of %d bytes", length, sample.file.length)
                        .isInstanceOf(CaptureFormatException.class)
                        .hasMessageContaining("the end of the file after")
                        .extracting(e -> ((CaptureFormatException) e).offset())
                        .satisfies(offset -> assertThat(offset).isBetween(0L, (long) cut.length));
            }
        }
        assertThat(CaptureBytes.read(sample.file)).hasSizeGreaterThan(3);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldSurviveCorruption(long seed) {
        corrupt(seed, 5_000);
    }

    @ParameterizedTest
    @Tag("nightly")
    @ValueSource(longs = {11, 12, 13, 14, 15, 16})
    void shouldSurviveMuchCorruption(long seed) {
        corrupt(seed, 300_000);
    }

    private static void corrupt(long seed, int rounds) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Sample> samples = samples();
        int refused = 0;
        for (int i = 0; i < rounds; i++) {
            byte[] file = samples.get(random.nextInt(samples.size())).file.clone();
            for (int changes = random.nextInt(1, 6); changes > 0; changes--) {
                damage(random, file);
            }
            if (random.nextInt(4) == 0) {
                file = Arrays.copyOf(file, random.nextInt(file.length + 40));
            }
            try {
                for (CaptureBytes.Frame frame : CaptureBytes.read(file)) {
                    assertThat(frame.originalLength())
                            .isGreaterThanOrEqualTo(frame.bytes().size());
                }
            } catch (CaptureFormatException e) {
                refused++;
                assertThat(e.offset()).as("seed %d, round %d", seed, i).isBetween(0L, (long) file.length);
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
        }
        assertThat(refused).as("seed %d", seed).isBetween(rounds / 10, rounds - 1);
    }

    private static void damage(SplittableRandom random, byte[] file) {
        int at = random.nextInt(file.length);
        switch (random.nextInt(4)) {
            case 0 -> file[at] = (byte) random.nextInt(256);
            case 1 -> file[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> Arrays.fill(file, at, Math.min(at + 4, file.length), (byte) (random.nextBoolean() ? 0xFF : 0));
            default -> {
                int length = Math.min(random.nextInt(1, 9), file.length - at);
                System.arraycopy(file, random.nextInt(file.length - length + 1), file, at, length);
            }
        }
    }
}

package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A guest that writes anything anywhere: no exception, no endless loop, no byte outside what it may reach. */
class E1000HostileTest {
    private static final int[] INTERESTING = {
        CTRL, CTRL_EXT, EECD, EERD, MDIC, ICS, IMS, IMC, ITR, EIAC, IAM, IVAR, RCTL, TCTL, PBA, RDBAL, RDBAH, RDLEN,
        RDH, RDT, RDTR, RADV, TDBAL, TDBAH, TDLEN, TDH, TDT, TIDV, TXDCTL, TADV, RXCSUM, RFCTL, MRQC, VET, 0x2170,
        0x2908, 0x2910, 0x2918, 0x3908, 0x3910, 0x3918, 0x5B68, 0x2C00, 0x2C08, RAL, RAH
    };

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("Random descriptors, registers, frames and wire answers")
    void shouldSurviveAnything(E1000Model model) {
        run(model, 20, 400);
    }

    @Tag("nightly")
    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("Random descriptors, registers, frames and wire answers, for long")
    void shouldSurviveAnythingForLong(E1000Model model) {
        run(model, 500, 4000);
    }

    private static void run(E1000Model model, int seeds, int steps) {
        for (int seed = 0; seed < seeds; seed++) {
            try (Bench bench = new Bench(model)) {
                SplittableRandom random = new SplittableRandom(seed);
                for (int step = 0; step < steps; step++) {
                    act(bench, random);
                    bench.sent.clear();
                    bench.messages.clear();
                }
            } catch (RuntimeException | Error e) {
                throw new AssertionError(model + ", seed " + seed, e);
            }
        }
    }

    private static void act(Bench bench, SplittableRandom random) {
        switch (random.nextInt(8)) {
            case 0, 1 -> bench.write(INTERESTING[random.nextInt(INTERESTING.length)], value(random));
            case 2 -> bench.read(random.nextInt(0x8000) * 4);
            case 3 -> descriptors(bench, random);
            case 4 -> {
                byte[] frame = new byte[random.nextInt(random.nextInt(20) == 0 ? 17000 : 400)];
                random.nextBytes(frame);
                if (frame.length > 40) {
                    shape(frame, random);
                }
                bench.device.send(frame, 0, frame.length);
            }
            case 5 -> {
                bench.openTransmit(8 << random.nextInt(4));
                bench.openReceive(8 << random.nextInt(4), RX_BAM | RX_UPE | RX_LPE | random.nextInt() & 0x0703_0C00);
                bench.write(TDT, random.nextInt(8));
            }
            case 6 -> {
                bench.wireAnswer = Delivery.values()[random.nextInt(4)];
                bench.now += random.nextInt(1_000_000);
                assertThat(bench.device.poll(1 + random.nextInt(64))).isBetween(0, 64);
            }
            default -> {
                bench.device.workPending();
                bench.device.nextDeadlineNanos();
                bench.device.setLink(random.nextInt(8) != 0);
                if (random.nextInt(50) == 0) {
                    bench.device.reset();
                    bench.device.config().write(0x04, 2, 0x7);
                }
            }
        }
    }

    private static int value(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt();
            case 1 -> random.nextInt(64);
            case 2 -> 1 << random.nextInt(32);
            default -> -1 << random.nextInt(32);
        };
    }

    private static void descriptors(Bench bench, SplittableRandom random) {
        for (int i = 0; i < 32; i++) {
            long low = random.nextBoolean() ? TX_BUFFERS + random.nextInt(1 << 20) : random.nextLong();
            long high = random.nextLong();
            if (random.nextInt(4) != 0) {
                high = high & ~0xF_0000L & ~(0xFL << 20) | (long) random.nextInt(2) << 20;
            }
            bench.describe(i, low, high);
            bench.ram.writeLong(RX_RING + 16L * i, random.nextInt(4) == 0 ? random.nextLong() : RX_BUFFERS);
        }
    }

    /** Makes the noise look like IP, TCP or a tagged frame, so that parsers go deeper. */
    private static void shape(byte[] frame, SplittableRandom random) {
        System.arraycopy(MAC, 0, frame, 0, 6);
        int at = 12;
        if (random.nextBoolean()) {
            frame[at] = (byte) 0x81;
            frame[at + 1] = 0;
            at += 4;
        }
        boolean v4 = random.nextBoolean();
        frame[at] = (byte) (v4 ? 0x08 : 0x86);
        frame[at + 1] = (byte) (v4 ? 0x00 : 0xDD);
        frame[at + 2] = (byte) (v4 ? 0x40 | random.nextInt(16) : 0x60);
        frame[at + 2 + (v4 ? 9 : 6)] = (byte) (random.nextBoolean() ? 6 : 17);
        if (v4 && random.nextBoolean()) {
            frame[at + 4] = (byte) (frame.length >> 8);
            frame[at + 5] = (byte) frame.length;
            frame[at + 8] = 0;
            frame[at + 9] = 0;
        }
    }

    @Test
    @DisplayName("One megabyte cut into one-byte segments is a million frames: each poll sends its budget and returns")
    void shouldBoundSegmentStorm() {
        try (Bench bench = Bench.i82540em()) {
            bench.openTransmit(8);
            bench.describe(0, 0, 0xFFFFFL | (long) (0x24 | 1) << 24 | 54L << 40 | 1L << 48);
            bench.describe(1, TX_BUFFERS, data(0xFFFFF, 0x4 | EOP | RS, 0, 0));
            bench.write(TDT, 2);
            for (int i = 0; i < 100; i++) {
                assertThat(bench.device.poll(64)).isEqualTo(64);
            }
            assertThat(bench.sent).hasSize(6400);
        }
    }

    @Test
    @DisplayName(
            "A ring of 65 528 descriptors that carry nothing is walked once, sixteen descriptors for each frame of a budget")
    void shouldWalkEmptyDescriptorsOnce() {
        try (Bench bench = Bench.i82540em()) {
            bench.openTransmit(8);
            bench.write(TDBAL, 0x400000);
            bench.write(TDLEN, 0xFFF80);
            bench.write(TDT, 65527);
            int polls = 0;
            while (bench.device.workPending() && polls <= 17) {
                int before = bench.read(TDH);
                assertThat(bench.device.poll(256)).isZero();
                assertThat(bench.read(TDH) - before).as("one poll").isBetween(1, 4096);
                polls++;
            }
            assertThat(bench.read(TDH)).isEqualTo(65527);
            assertThat(bench.device.workPending()).isFalse();
        }
    }
}

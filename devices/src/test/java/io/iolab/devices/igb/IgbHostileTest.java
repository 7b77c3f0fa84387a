package io.iolab.devices.igb;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.PciFunction;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Drivers of all functions write what they like, where they like, and the memory is full of it. Nothing throws, every call ends
 * within a bounded number of requests, DMA carries the id of an enabled function, and a reset cures.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IgbHostileTest {
    private static final int MEMORY = 1 << 20;
    private static final int BUDGET = 32;
    /** A poll of 32 frames: descriptors, buffers and write-backs of each, on sixteen queues; eight copies of each frame. */
    private static final long MOST_REQUESTS = 16L * BUDGET * 32 * 3 + BUDGET * 8L * 64 * 3 + 1000;

    private static final int[] INTERESTING = {
        0x0000, 0x0018, 0x0020, 0x0100, 0x0400, 0x0800, 0x0C00, 0x0C40, 0x0C80, 0x0C88, 0x0C8C, 0x0C90, 0x1500, 0x1508,
        0x1514, 0x1520, 0x1524, 0x152C, 0x1530, 0x1580, 0x1680, 0x1700, 0x1740, 0x2408, 0x3500, 0x3700, 0x5000, 0x5004,
        0x5400, 0x5404, 0x5818, 0x581C, 0x5AD0, 0x5AF0, 0x5C00, 0x5C80, 0x5D00, 0x10000, 0x10080, 0x11700
    };

    /** One attack: a device, its memory, and who has asked for what. */
    private static final class Campaign {
        private final SplittableRandom random;
        private final byte[] memory = new byte[MEMORY];
        private final Igb82576 device;
        private boolean selfDma;
        private int depth;
        private long requests;
        private long now;

        Campaign(long seed) {
            random = new SplittableRandom(seed);
            device = Igb82576.create(Bench.MAC, this::port, InterruptPin.UNCONNECTED, this::wire, () -> now);
        }

        private Delivery wire(byte[] frame, int offset, int length) {
            assertThat(length).isBetween(14, 16_384);
            assertThat(offset + length <= frame.length).isTrue();
            return random.nextInt(8) == 0 ? Delivery.BUSY : Delivery.ACCEPTED;
        }

        private DmaPort port(int rid) {
            return new DmaPort() {
                private boolean reaches(long iova, int length, int arrayLength) {
                    requests++;
                    assertThat(length >= 0 && length <= arrayLength).isTrue();
                    assertThat(device == null || device.functionAt(rid) != null)
                            .as("a function that is there: %x", rid)
                            .isTrue();
                    return iova >= 0 && iova <= MEMORY - length;
                }

                @Override
                public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
                    if (!reaches(iova, length, target.length - offset)) {
                        return DmaFault.NOT_MAPPED;
                    }
                    System.arraycopy(memory, (int) iova, target, offset, length);
                    return DmaFault.NONE;
                }

                @Override
                public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
                    if (selfDma && depth < 4 && length >= 4) {
                        depth++;
                        device.writeBar(0, iova & 0x1_FFFC, 4, LittleEndian.getInt(source, offset) & 0xFFFF_FFFFL);
                        depth--;
                    }
                    if (!reaches(iova, length, source.length - offset)) {
                        return DmaFault.NOT_MAPPED;
                    }
                    System.arraycopy(source, offset, memory, (int) iova, length);
                    return DmaFault.NONE;
                }

                @Override
                public int loadShortAcquire(long iova, DmaKind kind) {
                    return DmaFault.NOT_MAPPED.asResult();
                }

                @Override
                public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
                    if (!reaches(iova, 2, 2)) {
                        return DmaFault.NOT_MAPPED;
                    }
                    LittleEndian.putShort(memory, (int) iova, value);
                    return DmaFault.NONE;
                }
            };
        }

        private PciFunction someone() {
            List<PciFunction> functions = device.functions();
            return functions.get(random.nextInt(functions.size()));
        }

        private int value() {
            return switch (random.nextInt(5)) {
                case 0 -> -1;
                case 1 -> 0;
                case 2 -> 1 << random.nextInt(32);
                case 3 -> random.nextInt(0x1000);
                default -> random.nextInt();
            };
        }

        private void step() {
            if (random.nextInt(4) == 0) {
                repair();
            }
            long before = requests;
            switch (random.nextInt(14)) {
                case 0, 1, 2 -> writeSomewhere();
                case 3, 4 -> ring();
                case 5 -> descriptors();
                case 6 -> someone().readBar(random.nextInt(6), random.nextInt(0x2_0000), 1 << random.nextInt(4));
                case 7 -> configuration();
                case 8, 9 -> {
                    byte[] frame = frame();
                    device.send(frame, 0, frame.length);
                }
                case 10 -> now += random.nextInt(1_000_000);
                case 11 -> device.setLink(random.nextInt(8) != 0);
                case 12 -> selfDma = random.nextInt(4) == 0;
                default -> pools();
            }
            assertThat(requests - before <= MOST_REQUESTS).isTrue();
            before = requests;
            int moved = someone().poll(BUDGET);
            assertThat(moved <= BUDGET).isTrue();
            assertThat(requests - before).as("requests of a poll").isLessThanOrEqualTo(MOST_REQUESTS);
            device.workPending();
            device.nextDeadlineNanos();
        }

        private byte[] frame() {
            byte[] frame = new byte[random.nextInt(20) == 0 ? random.nextInt(17_000) : random.nextInt(1600)];
            random.nextBytes(frame);
            if (frame.length >= 40 && random.nextInt(2) == 0) {
                byte[] to = random.nextInt(3) == 0 ? Bench.BROADCAST : Bench.macOf(random.nextInt(8));
                System.arraycopy(to, 0, frame, 0, 6);
                frame[12] = (byte) (random.nextInt(3) == 0 ? 0x81 : 8);
                frame[13] = 0;
                frame[14] = 0x45;
                frame[23] = (byte) (random.nextInt(2) == 0 ? 6 : 17);
            }
            return frame;
        }

        private void writeSomewhere() {
            PciFunction function = someone();
            boolean known = random.nextInt(3) != 0;
            int bar = known ? 0 : random.nextInt(6);
            long offset = known
                    ? INTERESTING[random.nextInt(INTERESTING.length)] + 4L * random.nextInt(8)
                    : random.nextInt(0x2_0000);
            function.writeBar(bar, offset, known ? 4 : 1 << random.nextInt(4), value() & 0xFFFF_FFFFL);
        }

        /** A ring of any queue, mostly sound, on as the queue is, and its tail moved. */
        private void ring() {
            int base = (random.nextInt(2) == 0 ? 0xC000 : 0xE000) + 0x40 * random.nextInt(16);
            boolean sound = random.nextInt(4) != 0;
            put(base, sound ? random.nextInt(0x1000) << 7 & 0xF_FFFF : value());
            put(base + 4, sound ? 0 : value());
            put(base + 0x10, sound ? 0 : value());
            put(base + 8, sound ? 128 << random.nextInt(5) : value());
            put(
                    base + 0xC,
                    random.nextInt(8) << 25 | random.nextInt(16) << 8 | random.nextInt(4) | random.nextInt(2) << 31);
            put(base + 0x28, 1 << 25);
            put(base + 0x18, sound ? random.nextInt(16) : value());
            put(0x0100, 1 << 1 | random.nextInt());
            put(0x0400, 1 << 1);
        }

        /** What has to be in order for anything to happen at all. */
        private void repair() {
            device.config().write(0x44, 2, 0);
            device.setLink(true);
            for (PciFunction function : device.functions()) {
                function.config().write(0x04, 2, 6);
            }
            put(0x0000, 1 << 6);
            put(0x0100, 1 << 1 | 1 << 26 | 1 << 15 | (random.nextInt(2) == 0 ? 1 << 5 | 3 << 3 : 0));
            put(0x0400, 1 << 1);
        }

        private void put(int offset, int value) {
            device.writeBar(0, offset, 4, value & 0xFFFF_FFFFL);
        }

        private void descriptors() {
            for (int i = 0; i < 256; i++) {
                int at = random.nextInt(MEMORY / 16) * 16;
                LittleEndian.putLong(memory, at, random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(MEMORY));
                int dw2 = random.nextInt(2000) | (random.nextInt(3) == 0 ? Bench.CONTEXT : Bench.DATA) | Bench.DEXT;
                LittleEndian.putInt(
                        memory,
                        at + 8,
                        random.nextInt(6) == 0 ? random.nextInt() : dw2 | random.nextInt() & 0xCB00_0000);
                LittleEndian.putInt(memory, at + 12, random.nextInt());
            }
        }

        private void configuration() {
            PciFunction function = someone();
            int[] offsets = {0x04, 0x44, 0x52, 0x72, 0xA8, 0x168, 0x170};
            int offset = offsets[random.nextInt(offsets.length)];
            if (random.nextInt(3) != 0) {
                function.config().write(0x04, 2, 6);
            } else {
                function.config().write(offset, 2, random.nextInt(2) == 0 ? random.nextInt(0x20) : value());
            }
        }

        private void pools() {
            device.config().write(0x44, 2, 0);
            device.config().write(0x04, 2, 6);
            device.config().write(0x170, 2, random.nextInt(12));
            device.config().write(0x168, 2, random.nextInt(4) == 0 ? 0 : 0x19);
            put(0x5818, random.nextInt(4) == 0 ? random.nextInt(8) : 3);
            put(0x581C, random.nextInt() & 0x7000_0380);
            for (int pool = 0; pool < 8; pool++) {
                put(0x5AD0 + 4 * pool, random.nextInt());
                put(0x5408 + 8 * pool, 2);
                put(0x540C + 8 * pool, 0x10 | pool << 8 | random.nextInt(256) << 18 | 1 << 31);
            }
            put(0x3500, random.nextInt());
            put(0x0C8C, 0xFF);
            put(0x0C90, 0xFF);
        }

        void count(long[] reached) {
            Igb82576Counters counters = device.counters();
            reached[0] += counters.rxCopies();
            reached[1] += counters.txFrames();
            reached[2] += counters.txLooped();
            reached[3] += counters.txSpoofed();
            reached[4] += counters.txMalformed();
            reached[5] += counters.vfResets();
            reached[6] += counters.ringFaults();
        }

        /** After all that, a conventional reset, and a frame from the wire arrives. */
        void recover() {
            selfDma = false;
            device.reset();
            device.setLink(true);
            assertThat(device.functions()).hasSize(1);
            device.config().write(0x04, 2, 6);
            LittleEndian.putLong(memory, 0x1000, 0x8000);
            LittleEndian.putLong(memory, 0x1008, 0);
            put(0xC000, 0x1000);
            put(0xC008, 128);
            put(0xC00C, 0x0200_0002);
            put(0xC028, 1 << 25);
            put(0xC018, 7);
            put(0x0100, 1 << 1 | 1 << 26);
            byte[] frame = Bench.frame(Bench.MAC, Bench.PEER, 100);
            assertThat(device.send(frame, 0, frame.length)).isEqualTo(Delivery.ACCEPTED);
            device.poll(BUDGET);
            assertThat(LittleEndian.getInt(memory, 0x1008) & 3).isEqualTo(3);
            assertThat(Objects.requireNonNull(device.functionAt(0))).isSameAs(device);
        }
    }

    private static void attack(long first, int campaigns, int steps) {
        long[] reached = new long[7];
        for (long seed = first; seed < first + campaigns; seed++) {
            Campaign campaign = new Campaign(seed);
            int step = 0;
            try {
                for (; step < steps; step++) {
                    campaign.step();
                }
                campaign.count(reached);
                campaign.recover();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ", step " + step, e);
            }
        }
        // An attack that reaches nothing proves nothing.
        assertThat(reached).doesNotContain(0);
    }

    @Test
    void shouldSurviveAnything() {
        attack(1, 20, 2_000);
    }

    @Test
    @Tag("nightly")
    @Timeout(value = 900, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldSurviveAnythingForLong() {
        attack(1_000, 200, 5_000);
    }
}

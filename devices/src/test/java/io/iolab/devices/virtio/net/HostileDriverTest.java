package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.queue.SplitRing;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DESIGN rule 5: whatever a driver does, no exception, no endless loop, and a device that a reset brings back. */
class HostileDriverTest {
    private static final int SIZE = 16;
    private static final int BUDGET = 8;

    /** Two descriptors' worth of requests for each of at most SIZE chains of at most SIZE buffers, and the rings. */
    private static final int MOST_REQUESTS = 2 * SIZE * SIZE + 4 * SIZE + 16;

    private final byte[] frame = Lab.frame(3000, 1);
    private DmaTap tap;
    private SplittableRandom random;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("any memory content and any register access leave the device sound")
    void shouldStaySoundWhenDriverIsHostile(long seed) {
        attack(seed, 20_000);
    }

    @ParameterizedTest
    @ValueSource(longs = {101, 102, 103, 104, 105, 106, 107, 108, 109, 110})
    @Tag("nightly")
    @DisplayName("any memory content and any register access leave the device sound, at length")
    void shouldStaySoundWhenAttackIsLong(long seed) {
        attack(seed, 1_000_000);
    }

    @Test
    @DisplayName(
            "2.7.5.3: buffers of one byte behind tables of empty entries do not make a frame cost the square of the ring")
    void shouldRefuseTablesThatHoldNextToNothing() {
        int size = 256;
        try (Lab lab = new Lab((l, dma) -> tap = new DmaTap(dma))) {
            lab.start(Lab.INDIRECT | Lab.MRG, size);
            SplitRing ring = lab.rings[Lab.RX];
            long header = lab.allocate(16, 16);
            ring.add(header, 12, SplitRing.WRITE);
            long table = lab.allocate(16L * size, 16);
            for (int i = 0; i < size; i++) {
                int next = i == size - 1 ? 0 : SplitRing.NEXT;
                SplitRing.writeDescriptor(
                        lab.ram, table + 16L * i, header, i == 0 ? 1 : 0, SplitRing.WRITE | next, i + 1);
            }
            for (int i = 1; i < size; i++) {
                ring.add(table, 16L * size, SplitRing.INDIRECT);
            }
            ring.publish();
            tap.requests.clear();

            assertThat(lab.device.send(frame, 0, 1514)).isEqualTo(Delivery.DROPPED);

            assertThat(tap.requests.size()).isLessThan(2 * size);
            assertThat(lab.status() & 0x40).as("DEVICE_NEEDS_RESET").isNotZero();
        }
    }

    private void attack(long seed, int steps) {
        random = new SplittableRandom(seed);
        try (Lab lab = new Lab((l, dma) -> tap = new DmaTap(dma))) {
            lab.keepSent = false;
            lab.start(random.nextLong() & (Lab.INDIRECT | Lab.EVENT_IDX | Lab.MRG), SIZE);
            for (int step = 0; step < steps; step++) {
                tap.requests.clear();
                act(lab);
                assertThat(tap.requests.size())
                        .as("seed %d step %d", seed, step)
                        .isLessThan(MOST_REQUESTS);
            }
            proveAlive(lab, seed);
        }
    }

    private void act(Lab lab) {
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> spoilMemory(lab);
            case 3, 4 -> spoilDescriptor(lab);
            case 5 -> offerSome(lab);
            case 6 -> lab.device.send(frame, random.nextInt(4), random.nextInt(2000));
            case 7 -> lab.device.writeBar(random.nextInt(6), randomOffset(), 1 << random.nextInt(4), random.nextLong());
            case 8 -> lab.device.readBar(random.nextInt(6), randomOffset(), 1 << random.nextInt(4));
            case 9 -> spoilConfiguration(lab);
            case 10 -> {
                lab.kick(random.nextInt(2));
                lab.wireAnswer = Delivery.values()[random.nextInt(4)];
                lab.device.poll(1 + random.nextInt(BUDGET));
            }
            default -> restartSometimes(lab);
        }
    }

    private long randomOffset() {
        return random.nextInt(4) == 0
                ? random.nextLong()
                : random.nextInt(0x4010) & (random.nextBoolean() ? ~0xFC0 : -1);
    }

    private void spoilMemory(Lab lab) {
        SplitRing ring = lab.rings[random.nextInt(2)];
        long area = random.nextBoolean() ? ring.desc : random.nextBoolean() ? ring.avail : ring.used;
        lab.ram.writeByte(area + random.nextInt(16 * SIZE), (byte) random.nextInt());
    }

    private void spoilDescriptor(Lab lab) {
        SplitRing ring = lab.rings[random.nextInt(2)];
        long[] gpas = {ring.desc, ring.used, 0x40_0000, Lab.RAM - 8, -1L, 1L << 50};
        long[] lengths = {0, 1, 12, 16, 64, 72, 2000, 0xFFFF_FFFFL};
        ring.descriptor(
                random.nextInt(SIZE),
                gpas[random.nextInt(gpas.length)],
                lengths[random.nextInt(lengths.length)],
                random.nextInt(8),
                random.nextInt(SIZE + 1));
    }

    private void offerSome(Lab lab) {
        SplitRing ring = lab.rings[random.nextInt(2)];
        for (int n = random.nextInt(4); n > 0; n--) {
            ring.offer(random.nextInt(50) == 0 ? 0xFFFF : random.nextInt(SIZE));
        }
        ring.publish();
    }

    private void spoilConfiguration(Lab lab) {
        if (random.nextInt(20) == 0) {
            lab.device.config().write(random.nextInt(0x100), 1 << random.nextInt(3), random.nextInt());
        } else {
            lab.device.config().read(random.nextInt(0x100), 1 << random.nextInt(3));
        }
    }

    private void restartSometimes(Lab lab) {
        if (random.nextInt(10) == 0) {
            restart(lab);
        }
    }

    /** Reuses the rings' places, with fresh indices. */
    private void restart(Lab lab) {
        lab.device.config().write(0x04, 2, 0x6);
        lab.negotiate(random.nextLong() & (Lab.INDIRECT | Lab.EVENT_IDX | Lab.MRG));
        for (int q = 0; q < 2; q++) {
            SplitRing old = lab.rings[q];
            lab.ram.fill(old.avail, SplitRing.availBytes(SIZE), (byte) 0);
            lab.ram.fill(old.used, SplitRing.usedBytes(SIZE), (byte) 0);
            lab.rings[q] = new SplitRing(lab.ram, SIZE, old.desc, old.avail, old.used);
            lab.placeQueue(q, SIZE, old.desc, old.avail, old.used);
            lab.common(Lab.QUEUE_ENABLE, 2, 1);
        }
        lab.status(0xF);
    }

    private void proveAlive(Lab lab, long seed) {
        restart(lab);
        lab.device.setLink(true);
        lab.keepSent = true;
        lab.wireAnswer = Delivery.ACCEPTED;
        byte[] last = Lab.frame(60, 7);
        lab.transmit(last);
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).as("seed %d", seed).containsExactly(last);
    }
}

package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.Virtqueue.Take;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackedQueueTest {
    private static final long EVENT_IDX = 1L << 29;
    private static final long INDIRECT_DESC = 1L << 28;
    private static final long RING_PACKED = 1L << 34;
    private static final long IN_ORDER = 1L << 35;
    private static final long DESC = 0x1010;
    private static final long DRIVER = 0x9004;
    private static final long DEVICE = 0xC008;
    private static final long TABLE = 0x2_0000;
    private static final long BUFFER = 0x4_0000;

    private final PhysicalMemory ram = PhysicalMemory.allocate(1 << 20);
    private final DirectDma dma = new DirectDma(ram, (address, data) -> {});

    @AfterEach
    void close() {
        ram.close();
    }

    private PackedRing ring(int size) {
        return new PackedRing(ram, size, DESC, DRIVER, DEVICE);
    }

    private PackedQueue queue(int size, long features) {
        return queue(dma, size, features);
    }

    private static PackedQueue queue(DmaPort port, int size, long features) {
        return new PackedQueue(port, size, new QueueLayout(DESC, DRIVER, DEVICE), features | RING_PACKED);
    }

    private static int walk(Virtqueue queue) {
        int parts = 0;
        Step step;
        while ((step = queue.chain().next()) == Step.DESCRIPTOR) {
            parts++;
        }
        assertThat(step).isEqualTo(Step.END);
        return parts;
    }

    private static void serveOne(PackedRing ring, PackedQueue queue) {
        ring.add(BUFFER, 1, 0, 0);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        queue.complete(queue.token(), 0);
        queue.publish();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 256})
    @Spec(id = "V25.1", section = "virtio 1.2 2.8.15")
    @Spec(id = "V25.4", section = "virtio 1.2 2.8.1")
    @DisplayName("2.8.1: a descriptor is used once AVAIL is the wrap counter and USED is not, on every lap")
    void shouldUseADescriptorOnlyAfterItsFlagsFlipped(int size) {
        PackedRing ring = ring(size);
        PackedQueue queue = queue(size, 0);
        for (int i = 0; i < 4 * size + 3; i++) {
            assertThat(queue.take()).as("round %d", i).isEqualTo(Take.EMPTY);
            boolean wrap = ring.wrap(i);
            int stale = wrap ? PackedRing.USED : PackedRing.AVAIL;
            for (int flags : new int[] {stale, PackedRing.AVAIL | PackedRing.USED, 0}) {
                ring.raw(i, BUFFER, 64, 0, flags);
                assertThat(queue.take()).as("round %d flags %x", i, flags).isEqualTo(Take.EMPTY);
            }
            ring.add(BUFFER + i, 64, 0, PackedRing.WRITE);
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            assertThat(queue.chain().next()).isEqualTo(Step.DESCRIPTOR);
            assertThat(queue.chain().iova()).isEqualTo(BUFFER + i);
            assertThat(queue.chain().next()).isEqualTo(Step.END);
            queue.complete(queue.token(), 9);
            queue.publish();
            assertThat(ring.hasUsed()).isTrue();
            assertThat(ring.flags(i)).isEqualTo((wrap ? PackedRing.AVAIL | PackedRing.USED : 0) | PackedRing.WRITE);
            ring.used++;
        }
        assertThat(queue.fault()).isNull();
    }

    @Test
    @Spec(id = "V25.2", section = "virtio 1.2 2.8.6")
    @DisplayName(
            "2.8.6: one used descriptor for a list, with the id of its last descriptor; the list's length is skipped")
    void shouldWriteOneUsedDescriptorForAList() {
        PackedRing ring = ring(5);
        PackedQueue queue = queue(5, 0);
        for (int lap = 0; lap < 40; lap++) {
            long at = ring.offered;
            for (int i = 2; i >= 0; i--) {
                int flags = (i < 2 ? PackedRing.NEXT : 0) | (i > 0 ? PackedRing.WRITE : 0);
                // Only the last id counts.
                ring.raw(at + i, BUFFER + i, 10 + i, i == 2 ? 4 : 77, i == 0 ? 0 : flags | ring.availableFlags(at + i));
            }
            if (lap % 2 == 1) {
                int stale = ring.wrap(at) ? PackedRing.USED : PackedRing.AVAIL;
                ring.raw(at, BUFFER, 10, 77, PackedRing.NEXT | stale);
                assertThat(queue.take()).as("the first flags are not there yet").isEqualTo(Take.EMPTY);
            }
            ring.show(3, PackedRing.NEXT);
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            assertThat(queue.token()).isEqualTo(4);
            assertThat(walk(queue)).isEqualTo(3);
            int second = ring.flags(at + 1);
            queue.complete(4, 5);
            queue.publish();
            assertThat(ring.hasUsed()).isTrue();
            assertThat(ring.id(at)).isEqualTo(4);
            assertThat(ring.length(at)).isEqualTo(5);
            assertThat(ring.flags(at + 1)).as("not marked").isEqualTo(second);
            ring.used += 3;
            assertThat(ring.hasUsed()).isFalse();
        }
    }

    @Test
    @DisplayName("2.8.3: WRITE in a used descriptor says that something was written")
    void shouldSayWhetherSomethingWasWritten() {
        PackedRing ring = ring(4);
        PackedQueue queue = queue(4, 0);
        ring.add(BUFFER, 64, 0, PackedRing.WRITE);
        ring.add(BUFFER, 64, 1, PackedRing.WRITE);
        for (int i = 0; i < 2; i++) {
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            queue.complete(queue.token(), 64L * i);
        }
        queue.publish();
        assertThat(ring.flags(0) & PackedRing.WRITE).isZero();
        assertThat(ring.flags(1) & PackedRing.WRITE).isNotZero();
        assertThat(ring.length(1)).isEqualTo(64);
    }

    /** Notes the requests that write into the ring, with the flags of the first used descriptor at that time. */
    private static final class WriteLog implements DmaPort {
        private final DmaPort port;
        private final PackedRing ring;
        final List<String> stores = new ArrayList<>();

        WriteLog(DmaPort port, PackedRing ring) {
            this.port = port;
            this.ring = ring;
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            return port.read(iova, target, offset, length, kind);
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            DmaFault fault = port.write(iova, source, offset, length, kind);
            stores.add(ring.hasUsed() ? "late" : "hidden");
            return fault;
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return port.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            DmaFault fault = port.storeShortRelease(iova, value, kind);
            stores.add(ring.hasUsed() ? "shown" : "hidden");
            return fault;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 64, 100})
    @Spec(id = "V25.3", section = "virtio 1.2 2.8.15")
    @DisplayName("2.8.9: of buffers used together the first descriptor is marked last, and nothing is written after it")
    void shouldMarkTheFirstOfABatchLast(int count) {
        PackedRing ring = ring(100);
        WriteLog log = new WriteLog(dma, ring);
        PackedQueue queue = queue(log, 100, 0);
        for (int lap = 0; lap < 5; lap++) {
            for (int i = 0; i < count; i++) {
                ring.add(BUFFER, 64, i, PackedRing.WRITE);
            }
            log.stores.clear();
            for (int i = 0; i < count; i++) {
                assertThat(queue.take()).isEqualTo(Take.CHAIN);
                queue.complete(queue.token(), 64);
            }
            assertThat(ring.hasUsed()).isFalse();
            queue.publish();
            assertThat(log.stores).endsWith("shown").doesNotContain("late");
            assertThat(Collections.frequency(log.stores, "shown")).isEqualTo(1);
            for (int i = 0; i < count; i++) {
                assertThat(ring.hasUsed()).isTrue();
                assertThat(ring.id(ring.used++)).isEqualTo(i);
            }
        }
    }

    @Test
    @DisplayName("V19: available descriptors that are not used are left alone, and so is everything around the ring")
    void shouldWriteOnlyUsedDescriptorsAndItsEvents() {
        int size = 12;
        PackedRing ring = ring(size);
        PackedQueue queue = queue(size, EVENT_IDX);
        ram.fill(DESC + 16L * size, 64, (byte) 0x5A);
        ram.fill(DESC - 16, 16, (byte) 0x5A);
        for (int i = 0; i < 10; i++) {
            ring.add(BUFFER + i, i, i, 0);
        }
        byte[] before = new byte[16 * 5];
        ram.read(ring.at(5), before, 0, before.length);
        for (int i = 0; i < 5; i++) {
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            queue.complete(queue.token(), 0);
        }
        queue.publish();
        byte[] after = new byte[before.length];
        ram.read(ring.at(5), after, 0, after.length);
        assertThat(after).isEqualTo(before);
        assertThat(ram.readLong(DESC + 16L * size)).isEqualTo(0x5A5A5A5A5A5A5A5AL);
        assertThat(ram.readLong(DESC - 8)).isEqualTo(0x5A5A5A5A5A5A5A5AL);
        assertThat(ram.readInt(DRIVER)).as("the driver's own structure").isZero();
    }

    @ParameterizedTest
    @CsvSource({"3,1", "8,2", "5,3"})
    @Spec(id = "V25.5", section = "virtio 1.2 2.8.14")
    @DisplayName(
            "2.8.14: with DESC an interrupt is wanted exactly if the place was passed on the lap of its wrap counter")
    void shouldWantInterruptExactlyWhenThePlaceIsPassed(int size, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        PackedRing ring = ring(size);
        PackedQueue queue = queue(size, EVENT_IDX);
        long published = 0;
        int wanted = 0;
        for (int round = 0; round < 20_000; round++) {
            long before = published;
            for (int burst = random.nextInt(size + 1); burst > 0; burst--) {
                serveOne(ring, queue);
                published++;
            }
            // Up to a lap ahead of where the device was, or behind.
            long place = Math.max(0, before + random.nextInt(-size, size));
            ring.driverEvent(place, PackedRing.DESC);
            boolean expected = place >= before && place < published;
            assertThat(queue.interruptWanted())
                    .as("seed %d round %d: place %d, device from %d to %d", seed, round, place, before, published)
                    .isEqualTo(expected);
            wanted += expected ? 1 : 0;
        }
        assertThat(wanted).isPositive();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, EVENT_IDX})
    @Spec(id = "V25.5", section = "virtio 1.2 2.8.14")
    @DisplayName("2.8.14: ENABLE and DISABLE decide by themselves, whatever the place says")
    void shouldFollowEnableAndDisable(long features) {
        PackedRing ring = ring(8);
        PackedQueue queue = queue(8, features);
        for (int i = 0; i < 40; i++) {
            ring.driverEvent(i + i % 3, i & 1);
            serveOne(ring, queue);
            assertThat(queue.interruptUndecided()).isTrue();
            assertThat(queue.interruptWanted()).isEqualTo((i & 1) == PackedRing.ENABLE);
        }
        assertThat(queue.interruptWanted()).as("nothing new").isFalse();
        assertThat(queue.interruptUndecided()).isFalse();
    }

    @Test
    @DisplayName("2.8.14: reserved flags are no reason to stay silent")
    void shouldInterruptOnReservedFlags() {
        PackedRing ring = ring(8);
        PackedQueue queue = queue(8, EVENT_IDX);
        ring.driverEvent(5, 3);
        serveOne(ring, queue);
        assertThat(queue.interruptWanted()).isTrue();
    }

    @Test
    @DisplayName("2.8.10: kicks are asked for with ENABLE, or with DESC at the next descriptor to be made available")
    void shouldAskForKicks() {
        PackedRing ring = ring(6);
        PackedQueue queue = queue(6, 0);
        queue.disableKicks();
        assertThat(ring.deviceFlags()).isEqualTo(PackedRing.DISABLE);
        assertThat(queue.enableKicks()).isFalse();
        assertThat(ring.deviceFlags()).isEqualTo(PackedRing.ENABLE);
        ring.add(BUFFER, 1, 0, 0);
        assertThat(queue.enableKicks()).as("there is one already").isTrue();

        ram.fill(DESC, 6 * 16, (byte) 0);
        ring.offered = 0;
        PackedQueue withPlace = queue(6, EVENT_IDX);
        for (int i = 0; i < 8; i++) {
            withPlace.disableKicks();
            assertThat(ring.kickWanted(ring.offered)).isFalse();
            assertThat(withPlace.enableKicks()).isFalse();
            assertThat(ring.deviceFlags()).isEqualTo(PackedRing.DESC);
            long old = ring.offered;
            assertThat(ring.devicePlace()).isEqualTo(ring.slot(old) | (ring.wrap(old) ? 0x8000 : 0));
            serveOne(ring, withPlace);
            assertThat(ring.kickWanted(old)).isTrue();
        }
    }

    @Test
    @DisplayName("2.8.10: while kicks are not wanted, laps around the ring do not bring any")
    void shouldStaySuppressedForManyLaps() {
        PackedRing ring = ring(6);
        PackedQueue queue = queue(6, EVENT_IDX);
        serveOne(ring, queue);
        queue.enableKicks();
        serveOne(ring, queue);
        queue.disableKicks();
        for (int i = 0; i < 100; i++) {
            long old = ring.offered;
            serveOne(ring, queue);
            assertThat(ring.kickWanted(old)).as("descriptor %d", i).isFalse();
        }
    }

    @Test
    @Spec(id = "V20.1", section = "virtio 1.2 2.7.5.3.2")
    @Spec(id = "V20.3", section = "virtio 1.2 2.8.7")
    @DisplayName(
            "2.8.7: an indirect table is read in order; only WRITE counts in it, and it does not in what refers to it")
    void shouldWalkIndirectTables() {
        PackedRing ring = ring(40);
        PackedQueue queue = queue(40, INDIRECT_DESC);
        int entries = 35;
        for (int i = 0; i < entries; i++) {
            int noise = PackedRing.NEXT | PackedRing.AVAIL | PackedRing.INDIRECT;
            PackedRing.write(ram, TABLE + 16L * i, BUFFER + i, i, 9999, noise | (i >= 30 ? PackedRing.WRITE : 0));
        }
        ring.add(TABLE, 16L * entries, 7, PackedRing.INDIRECT | PackedRing.WRITE);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        assertThat(queue.token()).isEqualTo(7);
        for (int i = 0; i < entries; i++) {
            assertThat(queue.chain().next()).isEqualTo(Step.DESCRIPTOR);
            assertThat(queue.chain().iova()).isEqualTo(BUFFER + i);
            assertThat(queue.chain().length()).isEqualTo(i);
            assertThat(queue.chain().writable()).isEqualTo(i >= 30);
        }
        assertThat(queue.chain().next()).isEqualTo(Step.END);
        queue.complete(7, 1);
        queue.publish();
        ring.used++;
        assertThat(ring.hasUsed()).isFalse();
        ring.add(BUFFER, 1, 0, 0);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
    }

    @Test
    @DisplayName("2.8.8: with IN_ORDER one used descriptor stands for a batch: the last id, and the batch is skipped")
    void shouldUseABatchWithOneDescriptor() {
        PackedRing ring = ring(8);
        PackedQueue queue = queue(8, IN_ORDER);
        for (int round = 0; round < 20; round++) {
            long at = ring.offered;
            for (int i = 0; i < 5; i++) {
                ring.add(BUFFER, 10, i, 0);
            }
            for (int i = 0; i < 5; i++) {
                assertThat(queue.take()).isEqualTo(Take.CHAIN);
                walk(queue);
                queue.complete(queue.token(), 0);
            }
            queue.publish();
            assertThat(ring.hasUsed()).isTrue();
            assertThat(ring.id(at)).isEqualTo(4);
            assertThat(ring.flags(at + 1) & (PackedRing.AVAIL | PackedRing.USED))
                    .isEqualTo(ring.availableFlags(at + 1));
            ring.used += 5;
        }
    }

    @Test
    @DisplayName("2.8.8: buffers with something to write into keep their own used descriptor, for its length")
    void shouldNotLeaveOutALengthInOrder() {
        PackedRing ring = ring(8);
        PackedQueue queue = queue(8, IN_ORDER);
        ring.add(BUFFER, 10, 0, 0);
        ring.add(BUFFER, 10, 1, PackedRing.WRITE);
        ring.add(BUFFER, 10, 2, PackedRing.WRITE);
        ring.add(BUFFER, 10, 3, 0);
        for (int i = 0; i < 4; i++) {
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            walk(queue);
            queue.complete(queue.token(), i == 1 ? 7 : i == 2 ? 3 : 0);
        }
        queue.publish();
        assertThat(ring.id(0)).isEqualTo(1);
        assertThat(ring.length(0)).isEqualTo(7);
        assertThat(ring.id(2)).isEqualTo(2);
        assertThat(ring.length(2)).isEqualTo(3);
        assertThat(ring.id(3)).isEqualTo(3);
        ring.used = 4;
        assertThat(ring.hasUsed()).isFalse();
    }

    @Test
    @DisplayName("2.8.22: buffers come back in any order; each used descriptor stands where the one before left off")
    void shouldCompleteOutOfOrder() {
        PackedRing ring = ring(7);
        PackedQueue queue = queue(7, 0);
        ring.raw(1, BUFFER, 1, 0, ring.availableFlags(1));
        ring.raw(0, BUFFER, 1, 0, PackedRing.NEXT | ring.availableFlags(0));
        ring.offered = 2;
        ring.add(BUFFER, 1, 1, 0);
        ring.add(BUFFER, 1, 2, 0);
        for (int i = 0; i < 3; i++) {
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
        }
        queue.complete(2, 0);
        queue.publish();
        queue.complete(0, 0);
        queue.complete(1, 0);
        queue.publish();
        int[] ids = {ring.id(0), ring.id(1), ring.id(3)};
        assertThat(ids).containsExactly(2, 0, 1);
        assertThat(Arrays.stream(new long[] {0, 1, 3}).map(ring::flags).toArray())
                .containsOnly(PackedRing.AVAIL | PackedRing.USED);
    }
}

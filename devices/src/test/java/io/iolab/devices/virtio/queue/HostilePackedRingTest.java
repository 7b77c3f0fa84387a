package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.Virtqueue.Take;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Malformed packed rings: a fault by name and nothing worse, with work that the queue size bounds. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostilePackedRingTest {
    private static final long INDIRECT_DESC = 1L << 28;
    private static final long EVENT_IDX = 1L << 29;
    private static final long IN_ORDER = 1L << 35;
    private static final int SIZE = 6;
    private static final long DESC = 0x1000;
    private static final long DRIVER = 0x2000;
    private static final long DEVICE = 0x2100;
    private static final long TABLE = 0x3000;
    private static final long BUFFER = 0x8000;
    private static final long RAM = 1 << 17;

    private final PhysicalMemory ram = PhysicalMemory.allocate(RAM);
    private final GatedDma dma = new GatedDma(new DirectDma(ram, (address, data) -> {}));
    private final PackedRing ring = new PackedRing(ram, SIZE, DESC, DRIVER, DEVICE);

    @AfterEach
    void close() {
        ram.close();
    }

    private PackedQueue queue(long features) {
        return new PackedQueue(dma, SIZE, new QueueLayout(DESC, DRIVER, DEVICE), features);
    }

    /** What the driver makes available, and what the queue must call it. */
    enum Malformed {
        LIST_WITHOUT_END(RingFault.CHAIN_LOOP, ring -> {
            for (int i = 0; i < SIZE; i++) {
                ring.add(BUFFER, 16, 0, PackedRing.NEXT);
            }
        }),
        EMPTY_LIST_WITHOUT_END(RingFault.CHAIN_LOOP, ring -> {
            for (int i = 0; i < SIZE; i++) {
                ring.add(0, 0, 0, PackedRing.NEXT);
            }
        }),
        ID_IS_THE_SIZE(RingFault.INDEX_OUT_OF_RANGE, ring -> ring.add(BUFFER, 16, SIZE, 0)),
        ID_65535(RingFault.INDEX_OUT_OF_RANGE, ring -> ring.add(BUFFER, 16, 0xFFFF, 0)),
        ID_OF_A_BUFFER_IN_USE(RingFault.BAD_DESCRIPTOR, ring -> {
            ring.add(BUFFER, 16, 3, 0);
            ring.add(BUFFER, 16, 3, 0);
        }),
        READABLE_AFTER_WRITABLE(RingFault.READABLE_AFTER_WRITABLE, ring -> {
            ring.add(BUFFER, 16, 0, PackedRing.NEXT | PackedRing.WRITE);
            ring.add(BUFFER, 16, 0, 0);
        }),
        BUFFER_WRAPS(RingFault.TOO_LONG, ring -> ring.add(-8, 16, 0, 0)),
        LENGTHS_PASS_4_GIB(RingFault.TOO_LONG, ring -> {
            ring.add(BUFFER, 0xFFFF_FFFFL, 0, PackedRing.NEXT);
            ring.add(BUFFER, 2, 0, 0);
        }),
        INDIRECT_IN_A_LIST(RingFault.INDIRECT_MISUSED, ring -> {
            ring.add(TABLE, 16, 0, PackedRing.INDIRECT | PackedRing.NEXT);
            ring.add(BUFFER, 16, 0, 0);
        }),
        INDIRECT_AT_THE_END_OF_A_LIST(RingFault.INDIRECT_MISUSED, ring -> {
            ring.add(BUFFER, 16, 0, PackedRing.NEXT);
            ring.add(TABLE, 16, 0, PackedRing.INDIRECT);
        }),
        TABLE_OF_NOTHING(RingFault.INDIRECT_LENGTH, ring -> ring.add(TABLE, 0, 0, PackedRing.INDIRECT)),
        TABLE_NOT_OF_WHOLE_DESCRIPTORS(RingFault.INDIRECT_LENGTH, ring -> ring.add(TABLE, 24, 0, PackedRing.INDIRECT)),
        TABLE_LONGER_THAN_THE_QUEUE(
                RingFault.CHAIN_LOOP, ring -> ring.add(TABLE, 16 * (SIZE + 1), 0, PackedRing.INDIRECT)),
        TABLE_OF_4_GIB(RingFault.CHAIN_LOOP, ring -> ring.add(TABLE, 0xFFFF_FFF0L, 0, PackedRing.INDIRECT)),
        TABLE_WRAPS(RingFault.TOO_LONG, ring -> ring.add(-16, 32, 0, PackedRing.INDIRECT)),
        TABLE_OUT_OF_REACH(RingFault.UNREACHABLE, ring -> ring.add(1L << 40, 16, 0, PackedRing.INDIRECT));

        private final RingFault cause;
        private final Consumer<PackedRing> shape;

        Malformed(RingFault cause, Consumer<PackedRing> shape) {
            this.cause = cause;
            this.shape = shape;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.8: what is malformed is a fault with its name, after few requests, and the queue stays failed")
    void shouldNameTheFault(Malformed malformed) {
        // Both at the start of the ring and across its end.
        for (int start = 0; start < 2 * SIZE; start += SIZE - 1) {
            ram.fill(0, RAM, (byte) 0);
            ring.offered = 0;
            PackedQueue queue = queue(INDIRECT_DESC);
            for (int i = 0; i < start; i++) {
                ring.add(BUFFER, 1, 0, 0);
                assertThat(queue.take()).isEqualTo(Take.CHAIN);
                queue.complete(0, 0);
                queue.publish();
            }
            malformed.shape.accept(ring);
            dma.requests = 0;
            runDry(queue, 100);
            assertThat(queue.fault()).as("at %d", start).isEqualTo(malformed.cause);
            assertThat(dma.requests).isLessThan(4 * SIZE);
            long after = dma.requests;
            assertThat(queue.take()).isEqualTo(Take.FAULT);
            assertThat(queue.enableKicks()).isFalse();
            queue.disableKicks();
            assertThat(queue.interruptWanted()).isFalse();
            assertThat(dma.requests).as("nothing more").isEqualTo(after);
        }
    }

    @Test
    @DisplayName("2.8.5: a list may have 2^32 bytes and reach the last address")
    void shouldAcceptTheLargestList() {
        PackedQueue queue = queue(INDIRECT_DESC);
        for (int i = 0; i < 4; i++) {
            ring.add(-(1L << 30), 1L << 30, 0, i < 3 ? PackedRing.NEXT : 0);
        }
        assertThat(runDry(queue, 1)).isEqualTo(4);
        assertThat(queue.fault()).isNull();
        assertThat(queue.descriptors()).isEqualTo(4);
    }

    @Test
    @DisplayName("2.8.7: no indirect table without the feature")
    void shouldRefuseTablesThatWereNotNegotiated() {
        PackedQueue queue = queue(0);
        ring.add(TABLE, 16, 0, PackedRing.INDIRECT);
        runDry(queue, 100);
        assertThat(queue.fault()).isEqualTo(RingFault.INDIRECT_MISUSED);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    @DisplayName("areas out of reach are a fault")
    void shouldFailWhereAnAreaIsOutOfReach(int area) {
        long far = 1L << 40;
        QueueLayout layout =
                new QueueLayout(area == 0 ? far : DESC, area == 1 ? far : DRIVER, area == 2 ? far : DEVICE);
        PackedQueue queue = new PackedQueue(dma, SIZE, layout, EVENT_IDX);
        ring.add(BUFFER, 1, 0, 0);
        if (queue.take() == Take.CHAIN) {
            queue.complete(0, 0);
            queue.publish();
            assertThat(queue.interruptWanted()).isEqualTo(area == 2);
            assertThat(queue.enableKicks()).isFalse();
        }
        assertThat(queue.fault()).isEqualTo(RingFault.UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {DESC + 14, DESC, DESC + 16})
    @DisplayName("a ring that cannot be read, from its first descriptor or from a later one on, is a fault")
    void shouldFailWhereReadingFails(long place) {
        PackedQueue queue = queue(0);
        for (int i = 0; i < 3; i++) {
            ring.add(BUFFER, 1, i, 0);
        }
        dma.refused = place;
        assertThat(queue.take()).isEqualTo(Take.FAULT);
        assertThat(queue.fault()).isEqualTo(RingFault.UNREACHABLE);
        assertThat(queue.outstanding()).isZero();
    }

    @Test
    @DisplayName("the rest of a list that cannot be read is a fault")
    void shouldFailWhereTheRestOfAListIsOutOfReach() {
        PackedQueue queue = queue(0);
        for (int i = 0; i < SIZE - 1; i++) {
            ring.add(BUFFER, 1, 0, 0);
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            queue.complete(0, 0);
            queue.publish();
        }
        ring.add(BUFFER, 1, 0, PackedRing.NEXT);
        ring.add(BUFFER, 1, 0, 0);
        // The list goes on at the ring's start.
        dma.refused = DESC;
        assertThat(queue.take()).isEqualTo(Take.FAULT);
        assertThat(queue.fault()).isEqualTo(RingFault.UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {DESC, DESC + 14})
    @DisplayName("used descriptors that cannot be written are a fault; without the others the first is not marked")
    void shouldFailWhereTheRingCannotBeWritten(long place) {
        PackedQueue queue = queue(0);
        ring.add(BUFFER, 1, 0, 0);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        queue.complete(0, 0);
        dma.refused = place;
        queue.publish();
        assertThat(ring.hasUsed()).isFalse();
        assertThat(queue.interruptWanted()).isFalse();
        assertThat(queue.fault()).isEqualTo(RingFault.UNREACHABLE);
        dma.refused = -1;
        queue.publish();
        assertThat(ring.hasUsed()).as("lost for good").isFalse();
    }

    @Test
    @DisplayName("an owner's fault is final, and what was completed before it is still published")
    void shouldPublishAfterAFault() {
        PackedQueue queue = queue(INDIRECT_DESC);
        PackedRing.write(ram, TABLE, BUFFER, 8, 0, PackedRing.WRITE);
        ring.add(TABLE, 16, 0, PackedRing.INDIRECT);
        ring.add(BUFFER, 1, 1, 0);
        assertThat(runDry(queue, 2)).isEqualTo(2);
        assertThat(queue.descriptors()).as("and the one that refers to a table").isEqualTo(3);
        queue.complete(0, 8);
        assertThat(queue.outstanding()).isEqualTo(1);
        assertThat(queue.chains()).isEqualTo(1);
        assertThat(queue.size()).isEqualTo(SIZE);
        queue.fail(RingFault.BAD_DESCRIPTOR);
        queue.publish();
        assertThat(ring.hasUsed()).isTrue();
        queue.fail(RingFault.TOO_LONG);
        assertThat(queue.fault()).as("the first cause stays").isEqualTo(RingFault.BAD_DESCRIPTOR);
        assertThat(queue.take()).isEqualTo(Take.FAULT);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    @DisplayName(
            "2.8.5: a list has no more descriptors than are not with the device, completed but unpublished ones neither")
    void shouldRefuseAListOverWhatTheDeviceHas(int completed) {
        PackedQueue queue = queue(0);
        for (int i = 0; i < 3; i++) {
            ring.add(BUFFER, 1, i, 0);
        }
        assertThat(runDry(queue, 3)).isEqualTo(3);
        for (int i = 0; i < completed; i++) {
            queue.complete(i, 0);
        }
        // Slots 3, 4, 5, and on over slot 0, which is the device's still.
        for (int i = 0; i < 4; i++) {
            ring.add(BUFFER, 1, 5, i < 3 ? PackedRing.NEXT : 0);
        }
        assertThat(queue.take()).isEqualTo(Take.FAULT);
        assertThat(queue.fault()).isEqualTo(RingFault.CHAIN_LOOP);
    }

    @Test
    @DisplayName(
            "2.8.5: once all is given back, completed and published a list may have the whole ring, again and again")
    void shouldTakeAListOfTheWholeRing() {
        PackedQueue queue = queue(0);
        for (int lap = 0; lap < 5; lap++) {
            for (int i = 0; i < 3; i++) {
                ring.add(BUFFER, 1, i, i == 1 ? PackedRing.NEXT : 0);
            }
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
            queue.giveBack(2);
            assertThat(queue.outstanding()).isZero();
            assertThat(runDry(queue, 2)).isEqualTo(3);
            queue.complete(2, 0);
            queue.complete(0, 0);
            queue.publish();
            assertThat(queue.outstanding()).isZero();
            for (int i = 0; i < SIZE; i++) {
                ring.add(BUFFER, 1, 4, i < SIZE - 1 ? PackedRing.NEXT : 0);
            }
            assertThat(runDry(queue, 1)).as("lap %d", lap).isEqualTo(SIZE);
            queue.complete(4, 0);
            queue.publish();
        }
        assertThat(queue.fault()).isNull();
    }

    @Test
    @DisplayName("2.8.10: while the device has the whole ring nothing can be available, whatever the flags say")
    void shouldFindNothingWhileItHasTheWholeRing() {
        PackedQueue queue = queue(EVENT_IDX);
        for (int i = 0; i < SIZE; i++) {
            ring.add(BUFFER, 1, i, 0);
        }
        assertThat(queue.enableKicks()).isTrue();
        assertThat(runDry(queue, SIZE)).isEqualTo(SIZE);
        ring.add(BUFFER, 1, 0, 0);
        assertThat(queue.enableKicks()).isFalse();
        assertThat(queue.take()).isEqualTo(Take.EMPTY);
        queue.giveBack(1);
        assertThat(queue.enableKicks()).as("there is one, fetched").isTrue();
    }

    /** Takes and walks what there is. @return buffers handed out */
    private static int runDry(Virtqueue queue, int most) {
        int parts = 0;
        Take take = Take.CHAIN;
        for (int i = 0; i < most && (take = queue.take()) == Take.CHAIN; i++) {
            Step step;
            while ((step = queue.chain().next()) == Step.DESCRIPTOR) {
                parts++;
            }
            assertThat(step).isEqualTo(queue.fault() == null ? Step.END : Step.FAULT);
            assertThat(queue.chain().fault()).isEqualTo(queue.fault());
        }
        assertThat(take).isNotNull();
        return parts;
    }

    @Test
    @DisplayName("2.8.1: flags turned while the device has the descriptors bring it no more of them than the ring has")
    void shouldTakeNoMoreThanTheRingHas() {
        PackedQueue queue = queue(0);
        for (int i = 0; i < SIZE; i++) {
            ring.add(BUFFER, 1, i, 0);
        }
        int taken = 0;
        for (int round = 0; round < 50; round++) {
            taken += queue.take() == Take.CHAIN ? 1 : 0;
            for (int i = 0; i < SIZE; i++) {
                ring.raw(i, BUFFER, 1, i, round % 2 == 0 ? PackedRing.USED : PackedRing.AVAIL);
            }
        }
        assertThat(taken).isLessThanOrEqualTo(SIZE);
        assertThat(queue.outstanding()).isEqualTo(taken);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @Tag("fuzz")
    @DisplayName("whatever the ring holds: no exception, no endless walk, nothing written outside of ring and events")
    void shouldSurviveRandomRings(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int run = 0; run < 1500; run++) {
            ram.fill(0, RAM, (byte) 0);
            ring.offered = 0;
            PackedQueue queue = queue(random.nextInt(8) * INDIRECT_DESC | (random.nextBoolean() ? IN_ORDER : 0));
            for (int step = 0; step < 40 && queue.fault() == null; step++) {
                scribble(random);
                dma.requests = 0;
                dma.bytes = 0;
                act(random, queue);
                assertThat(dma.requests).as("seed %d run %d", seed, run).isLessThan(200);
                assertThat(dma.bytes).as("seed %d run %d", seed, run).isLessThan(100_000);
            }
            for (long at = 0; at < TABLE; at += 8) {
                boolean inside = at >= DESC && at < DESC + 16 * SIZE || at == DRIVER || at == DEVICE;
                if (!inside) {
                    assertThat(ram.readLong(at))
                            .as("seed %d run %d at %x", seed, run, at)
                            .isZero();
                }
            }
        }
    }

    private void scribble(SplittableRandom random) {
        for (int n = random.nextInt(4); n > 0; n--) {
            int some = random.nextInt(8);
            int flags = some & random.nextInt(8);
            int id = random.nextInt(8) == 0 ? random.nextInt(0x10000) : random.nextInt(SIZE);
            int length = random.nextInt(4) == 0 ? random.nextInt() : 16 * random.nextInt(5);
            long gpa = random.nextInt(6) == 0 ? random.nextLong() : TABLE + random.nextInt(0x1000);
            if (random.nextInt(4) == 0) {
                ring.raw(random.nextInt(SIZE), gpa, length, id, flags | random.nextInt() & 0x8080);
            } else {
                ring.add(gpa, length, id, flags);
            }
        }
        ram.writeInt(DRIVER, random.nextInt());
        for (int i = 0; i < 8; i++) {
            ram.writeLong(TABLE + random.nextInt(0x200) * 8L, random.nextLong());
        }
    }

    private static void act(SplittableRandom random, PackedQueue queue) {
        int[] tokens = new int[SIZE];
        int taken = 0;
        while (taken < SIZE && queue.take() == Take.CHAIN) {
            tokens[taken++] = queue.token();
            for (int i = 0; i < 2 * SIZE && queue.chain().next() == Step.DESCRIPTOR; i++) {
                assertThat(queue.chain().length()).isNotNegative();
            }
        }
        if (queue.fault() == null && taken > 0) {
            int back = random.nextInt(taken);
            queue.giveBack(back);
            for (int i = 0; i < taken - back; i++) {
                queue.complete(tokens[i], random.nextInt());
            }
        }
        queue.publish();
        queue.interruptWanted();
        queue.enableKicks();
        queue.disableKicks();
    }
}

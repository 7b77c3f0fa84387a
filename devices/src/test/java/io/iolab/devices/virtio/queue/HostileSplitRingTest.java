package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.Virtqueue.Take;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Malformed split rings: a fault by name and nothing worse, with work that the queue size bounds. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileSplitRingTest {
    private static final long INDIRECT_DESC = 1L << 28;
    private static final long EVENT_IDX = 1L << 29;
    private static final long IN_ORDER = 1L << 35;
    private static final int SIZE = 8;
    private static final long DESC = 0x1000;
    private static final long AVAIL = 0x2002;
    private static final long USED = 0x2104;
    private static final long TABLE = 0x3000;
    private static final long BUFFER = 0x8000;
    private static final long FAR = 1L << 40;

    private final PhysicalMemory ram = PhysicalMemory.allocate(1 << 17);
    private final GatedDma dma = new GatedDma(new DirectDma(ram, (address, data) -> {}));
    private final SplitRing ring = new SplitRing(ram, SIZE, DESC, AVAIL, USED);

    @AfterEach
    void close() {
        ram.close();
    }

    private SplitQueue queue(long features) {
        return new SplitQueue(dma, SIZE, new QueueLayout(DESC, AVAIL, USED), features);
    }

    private void table(int entry, long gpa, long length, int flags, int next) {
        SplitRing.writeDescriptor(ram, TABLE + 16L * entry, gpa, length, flags, next);
    }

    private static Step walk(Virtqueue queue) {
        Step step;
        do {
            step = queue.chain().next();
        } while (step == Step.DESCRIPTOR);
        return step;
    }

    /** What the driver writes into the descriptor table, from 0 on, and what the queue must call it. */
    enum Malformed {
        CHAIN_LOOPS(RingFault.CHAIN_LOOP, test -> {
            test.ring.descriptor(0, BUFFER, 1, SplitRing.NEXT, 1);
            test.ring.descriptor(1, BUFFER, 1, SplitRing.NEXT, 0);
        }),
        EMPTY_CHAIN_LOOPS(RingFault.CHAIN_LOOP, test -> test.ring.descriptor(0, 0, 0, SplitRing.NEXT, 0)),
        TABLE_LOOPS(RingFault.CHAIN_LOOP, test -> {
            test.ring.descriptor(0, TABLE, 32, SplitRing.INDIRECT, 0);
            test.table(0, BUFFER, 1, SplitRing.NEXT, 1);
            test.table(1, BUFFER, 1, SplitRing.NEXT, 0);
        }),
        NEXT_IS_THE_SIZE(
                RingFault.INDEX_OUT_OF_RANGE, test -> test.ring.descriptor(0, BUFFER, 1, SplitRing.NEXT, SIZE)),
        NEXT_IS_65535(RingFault.INDEX_OUT_OF_RANGE, test -> test.ring.descriptor(0, BUFFER, 1, SplitRing.NEXT, 0xFFFF)),
        NEXT_IS_OUTSIDE_OF_THE_TABLE(RingFault.INDEX_OUT_OF_RANGE, test -> {
            test.ring.descriptor(0, TABLE, 32, SplitRing.INDIRECT, 0);
            test.table(0, BUFFER, 1, SplitRing.NEXT, 2);
        }),
        READABLE_AFTER_WRITABLE(RingFault.READABLE_AFTER_WRITABLE, test -> {
            test.ring.descriptor(0, BUFFER, 1, SplitRing.NEXT | SplitRing.WRITE, 1);
            test.ring.descriptor(1, BUFFER, 1, 0, 0);
        }),
        BUFFER_WRAPS(RingFault.TOO_LONG, test -> test.ring.descriptor(0, -8, 16, 0, 0)),
        LENGTHS_PASS_4_GIB(RingFault.TOO_LONG, test -> {
            test.ring.descriptor(0, BUFFER, 0xFFFF_FFFFL, SplitRing.NEXT, 1);
            test.ring.descriptor(1, BUFFER, 2, 0, 0);
        }),
        TABLE_AND_NEXT(
                RingFault.INDIRECT_MISUSED,
                test -> test.ring.descriptor(0, TABLE, 16, SplitRing.INDIRECT | SplitRing.NEXT, 1)),
        TABLE_IN_A_TABLE(RingFault.INDIRECT_MISUSED, test -> {
            test.ring.descriptor(0, TABLE, 16, SplitRing.INDIRECT, 0);
            test.table(0, TABLE, 16, SplitRing.INDIRECT, 0);
        }),
        TABLE_OF_NOTHING(RingFault.INDIRECT_LENGTH, test -> test.ring.descriptor(0, TABLE, 0, SplitRing.INDIRECT, 0)),
        TABLE_NOT_OF_WHOLE_DESCRIPTORS(
                RingFault.INDIRECT_LENGTH, test -> test.ring.descriptor(0, TABLE, 24, SplitRing.INDIRECT, 0)),
        TABLE_WRAPS(RingFault.TOO_LONG, test -> test.ring.descriptor(0, -16, 32, SplitRing.INDIRECT, 0)),
        TABLE_OUT_OF_REACH(RingFault.UNREACHABLE, test -> test.ring.descriptor(0, FAR, 16, SplitRing.INDIRECT, 0));

        private final RingFault cause;
        private final Consumer<HostileSplitRingTest> shape;

        Malformed(RingFault cause, Consumer<HostileSplitRingTest> shape) {
            this.cause = cause;
            this.shape = shape;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("2.7.5: what is malformed is a fault with its name, after few requests, and the queue stays failed")
    void shouldNameTheFault(Malformed malformed) {
        SplitQueue queue = queue(INDIRECT_DESC);
        malformed.shape.accept(this);
        ring.offer(0);
        ring.publish();
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        assertThat(queue.fault()).isNull();
        assertThat(queue.chain().fault()).isNull();
        assertThat(walk(queue)).isEqualTo(Step.FAULT);
        assertThat(queue.chain().fault()).isEqualTo(malformed.cause);
        assertThat(queue.fault()).isEqualTo(malformed.cause);
        assertThat(dma.requests).isLessThan(2 * SIZE);
        shouldStayFailed(queue, malformed.cause);
    }

    private void shouldStayFailed(SplitQueue queue, RingFault cause) {
        long before = dma.requests;
        assertThat(queue.take()).isEqualTo(Take.FAULT);
        assertThat(queue.enableKicks()).isFalse();
        queue.disableKicks();
        assertThat(queue.interruptWanted()).isFalse();
        queue.fail(RingFault.BAD_DESCRIPTOR);
        assertThat(queue.fault()).as("the first cause stays").isEqualTo(cause);
        assertThat(dma.requests).as("nothing more").isEqualTo(before);
    }

    @Test
    @DisplayName("2.7.5.3: no indirect table without the feature")
    void shouldRefuseTablesThatWereNotNegotiated() {
        SplitQueue queue = queue(0);
        ring.add(TABLE, 16, SplitRing.INDIRECT);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        assertThat(walk(queue)).isEqualTo(Step.FAULT);
        assertThat(queue.fault()).isEqualTo(RingFault.INDIRECT_MISUSED);
    }

    @Test
    @DisplayName(
            "2.7.5.2: a chain may have as many descriptors as the queue and 2^32 bytes, and reach the last address")
    void shouldAcceptTheLargestChain() {
        SplitQueue queue = queue(INDIRECT_DESC);
        for (int i = 0; i < SIZE; i++) {
            boolean last = i == SIZE - 1;
            ring.descriptor(i, -(1L << 29), 1L << 29, last ? 0 : SplitRing.NEXT, last ? 0 : i + 1);
        }
        ring.offer(0);
        ring.publish();
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        assertThat(walk(queue)).isEqualTo(Step.END);
        assertThat(queue.descriptors()).isEqualTo(SIZE);
    }

    @Test
    @DisplayName("2.7.5.3.1: a table's chain goes from entry to entry by next, over a table larger than one fetch")
    void shouldFollowNextThroughATable() {
        int size = 128;
        SplitRing large = new SplitRing(ram, size, DESC, AVAIL + 0x1000, USED + 0x1200);
        SplitQueue queue = new SplitQueue(dma, size, new QueueLayout(DESC, large.avail, large.used), INDIRECT_DESC);
        int entries = 100;
        long at = 0x1_0000;
        // 37 has no divisor in common with 100: the walk visits each entry once, back and forth.
        for (int i = 0; i < entries; i++) {
            int next = (i + 37) % entries;
            SplitRing.writeDescriptor(ram, at + 16L * i, BUFFER + i, i, next == 0 ? 0 : SplitRing.NEXT, next);
        }
        large.descriptor(5, at, 16L * entries, SplitRing.INDIRECT | SplitRing.WRITE, 0);
        large.offer(5);
        large.publish();
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        for (int i = 0; i < entries; i++) {
            assertThat(queue.chain().next()).isEqualTo(Step.DESCRIPTOR);
            assertThat(queue.chain().iova()).as("entry %d", i).isEqualTo(BUFFER + i * 37 % entries);
            assertThat(queue.chain().length()).isEqualTo(i * 37 % entries);
            assertThat(queue.chain().writable()).isFalse();
        }
        assertThat(queue.chain().next()).isEqualTo(Step.END);
        assertThat(queue.descriptors()).as("and the one that refers to it").isEqualTo(entries + 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {SIZE, SIZE + 1, 0xFFFF})
    @DisplayName("2.7.6: a head outside of the descriptor table is a fault")
    void shouldRefuseHeadsOutsideOfTheTable(int head) {
        SplitQueue queue = queue(0);
        ring.offer(head);
        ring.publish();
        assertThat(queue.take()).isEqualTo(Take.FAULT);
        assertThat(queue.outstanding()).isZero();
        shouldStayFailed(queue, RingFault.INDEX_OUT_OF_RANGE);
    }

    @Test
    @DisplayName("2.7.6: avail.idx may be ahead by the queue size, less what the device holds, and no more")
    void shouldRefuseAnIndexThatJumps() {
        SplitQueue queue = queue(0);
        ring.publishIndex(SIZE);
        for (int i = 0; i < SIZE; i++) {
            assertThat(queue.take()).isEqualTo(Take.CHAIN);
        }
        assertThat(queue.outstanding()).isEqualTo(SIZE);
        assertThat(queue.take()).isEqualTo(Take.EMPTY);
        ring.publishIndex(SIZE + 1);
        assertThat(queue.take()).isEqualTo(Take.FAULT);
        shouldStayFailed(queue, RingFault.INDEX_JUMP);

        SplitQueue fresh = queue(0);
        ring.publishIndex(SIZE + 1);
        assertThat(fresh.take()).isEqualTo(Take.FAULT);
        assertThat(fresh.fault()).isEqualTo(RingFault.INDEX_JUMP);

        SplitQueue backwards = queue(0);
        ring.publishIndex(0xFFFF);
        assertThat(backwards.enableKicks()).isFalse();
        assertThat(backwards.fault()).isEqualTo(RingFault.INDEX_JUMP);
    }

    @Test
    @DisplayName("an owner's fault is final, and what was completed before it is still published")
    void shouldPublishAfterAFault() {
        SplitQueue queue = queue(0);
        ring.add(BUFFER, 16, SplitRing.WRITE);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        queue.complete(queue.token(), 9);
        queue.fail(RingFault.BAD_DESCRIPTOR);
        queue.publish();
        assertThat(ring.usedIdx()).isEqualTo(1);
        assertThat(ring.usedLength(0)).isEqualTo(9);
        assertThat(queue.interruptUndecided()).isTrue();
        assertThat(queue.size()).isEqualTo(SIZE);
        shouldStayFailed(queue, RingFault.BAD_DESCRIPTOR);
    }

    @ParameterizedTest
    @ValueSource(longs = {AVAIL + 2, AVAIL + 4, DESC})
    @DisplayName("rings and descriptors that cannot be read are a fault")
    void shouldFailWhereReadingFails(long place) {
        SplitQueue queue = queue(0);
        ring.add(BUFFER, 16, 0);
        dma.refused = place;
        Take take = queue.take();
        assertThat(take).isEqualTo(place == DESC ? Take.CHAIN : Take.FAULT);
        if (take == Take.CHAIN) {
            assertThat(queue.chain().next()).isEqualTo(Step.FAULT);
        }
        shouldStayFailed(queue, RingFault.UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {USED + 4, USED + 2})
    @DisplayName("a used ring that cannot be written is a fault, and used.idx never covers what is not in it")
    void shouldFailWhereTheUsedRingIsLost(long place) {
        SplitQueue queue = queue(0);
        ring.add(BUFFER, 16, 0);
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        queue.complete(queue.token(), 0);
        dma.refused = place;
        queue.publish();
        assertThat(ring.usedIdx()).isZero();
        assertThat(queue.interruptWanted()).isFalse();
        dma.refused = -1;
        queue.publish();
        assertThat(ring.usedIdx()).isZero();
        shouldStayFailed(queue, RingFault.UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, EVENT_IDX})
    @DisplayName("2.7.10: suppression that cannot be reached is a fault: no interrupt, no kicks asked for")
    void shouldFailWhereSuppressionIsOutOfReach(long features) {
        boolean eventIndex = features != 0;
        SplitQueue interrupts = queue(features);
        ring.add(BUFFER, 16, 0);
        assertThat(interrupts.take()).isEqualTo(Take.CHAIN);
        interrupts.complete(0, 0);
        interrupts.publish();
        dma.refused = eventIndex ? AVAIL + 4 + 2 * SIZE : AVAIL;
        assertThat(interrupts.interruptWanted()).isFalse();
        shouldStayFailed(interrupts, RingFault.UNREACHABLE);

        SplitQueue kicks = queue(features);
        dma.refused = eventIndex ? USED + 4 + 8 * SIZE : USED;
        assertThat(kicks.enableKicks()).isFalse();
        shouldStayFailed(kicks, RingFault.UNREACHABLE);
    }

    @Test
    @DisplayName(
            "2.7.10: asking for no kicks where used.flags cannot be written is a fault; asked twice it is written once")
    void shouldFailWhereFlagsAreOutOfReach() {
        SplitQueue once = queue(0);
        once.disableKicks();
        long requests = dma.requests;
        once.disableKicks();
        assertThat(dma.requests).isEqualTo(requests);

        SplitQueue queue = queue(0);
        dma.refused = USED;
        queue.disableKicks();
        assertThat(queue.fault()).isEqualTo(RingFault.UNREACHABLE);
    }

    @Test
    @DisplayName("2.7.10: who asks for kicks learns what has been available since, in memory or fetched")
    void shouldTellWhatIsAvailableAlready() {
        SplitQueue queue = queue(EVENT_IDX);
        assertThat(queue.enableKicks()).isFalse();
        ring.add(BUFFER, 16, 0);
        ring.add(BUFFER, 16, 0);
        assertThat(queue.enableKicks()).isTrue();
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        assertThat(queue.enableKicks()).isTrue();
        assertThat(queue.take()).isEqualTo(Take.CHAIN);
        assertThat(queue.enableKicks()).isFalse();
        queue.giveBack(1);
        assertThat(queue.enableKicks()).isTrue();
        assertThat(queue.outstanding()).isEqualTo(1);
        assertThat(ring.availEvent()).isEqualTo(1);
    }

    @Test
    @DisplayName("2.7.9: with IN_ORDER the used element of a batch is the last chain's, and used.idx counts them all")
    void shouldUseABatchWithOneElement() {
        SplitQueue queue = queue(IN_ORDER);
        for (int round = 0; round < 5; round++) {
            ram.fill(USED + 4, 8 * SIZE, (byte) 0x5A);
            for (int i = 0; i < 3; i++) {
                ring.add(BUFFER, 16, 0);
            }
            for (int i = 0; i < 3; i++) {
                assertThat(queue.take()).isEqualTo(Take.CHAIN);
                assertThat(walk(queue)).isEqualTo(Step.END);
                queue.complete(queue.token(), 0);
            }
            queue.publish();
            int last = 3 * round + 2;
            assertThat(ring.usedIdx()).isEqualTo(last + 1);
            assertThat(ring.usedId(last - 2)).as("where the batch begins").isEqualTo(last % SIZE);
            assertThat(ring.usedLength(last - 2)).isZero();
            assertThat(ring.usedId(last)).as("skipped").isEqualTo(0x5A5A5A5A);
        }
    }
}

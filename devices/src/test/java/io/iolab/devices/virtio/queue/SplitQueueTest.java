package io.iolab.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.spec.Spec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SplitQueueTest {
    private static final long EVENT_IDX = 1L << 29;
    private static final long DESC = 0x1000;
    private static final long AVAIL = 0x9002;
    private static final long USED = 0xC004;

    private final PhysicalMemory ram = PhysicalMemory.allocate(1 << 20);
    private final DirectDma dma = new DirectDma(ram, (address, data) -> {});

    @AfterEach
    void close() {
        ram.close();
    }

    private SplitRing ring(int size) {
        return new SplitRing(ram, size, DESC, AVAIL, USED);
    }

    private SplitQueue queue(int size, long features) {
        return new SplitQueue(dma, size, new QueueLayout(DESC, AVAIL, USED), features);
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,2", "4,3", "8,4", "64,5", "256,6", "512,7"})
    @DisplayName("V21, 2.7.8: every chain comes once, in order, with its id and length, past the wrap of the indices")
    void shouldServeChainsInOrderWhenIndicesWrap(int size, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        SplitRing ring = ring(size);
        SplitQueue queue = queue(size, 0);
        ArrayDeque<Integer> free = new ArrayDeque<>();
        for (int i = 0; i < size; i++) {
            free.add(i);
        }
        ArrayDeque<Integer> offered = new ArrayDeque<>();
        ArrayDeque<Integer> taken = new ArrayDeque<>();
        int completed = 0;
        int reaped = 0;
        while (reaped < 70_000) {
            for (int n = random.nextInt(free.size() + 1); n > 0; n--) {
                int head = free.remove();
                ring.descriptor(head, 0x40000 + head, head, 0, 0);
                ring.offer(head);
                offered.add(head);
            }
            ring.publish();
            for (int n = random.nextInt(offered.size() + 1); n > 0; n--) {
                assertThat(queue.take()).isEqualTo(Virtqueue.Take.CHAIN);
                int head = offered.remove();
                assertThat(queue.token()).as("seed %d", seed).isEqualTo(head);
                taken.add(head);
            }
            giveSomeBack(random, queue, taken, offered);
            for (int n = random.nextInt(taken.size() + 1); n > 0; n--) {
                queue.complete(taken.peek(), 7L * taken.remove());
                completed++;
            }
            queue.publish();
            assertThat(ring.usedIdx()).as("seed %d", seed).isEqualTo(completed & 0xFFFF);
            for (; reaped < completed; reaped++) {
                int id = ring.usedId(reaped);
                assertThat(ring.usedLength(reaped)).isEqualTo(7L * id);
                free.add(id);
            }
        }
        assertThat(queue.fault()).isNull();
        assertThat(queue.chains()).isEqualTo(completed);
    }

    private static void giveSomeBack(
            SplittableRandom random, SplitQueue queue, ArrayDeque<Integer> taken, ArrayDeque<Integer> offered) {
        int count = random.nextInt(taken.size() + 1) / 2;
        queue.giveBack(count);
        for (int n = 0; n < count; n++) {
            offered.addFirst(taken.removeLast());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    @Spec(id = "V22.1", section = "virtio 1.2 2.7.7.2")
    @Spec(id = "V22.2", section = "virtio 1.2 2.7.7.2")
    @DisplayName(
            "V22, 2.7.10: with EVENT_IDX an interrupt is wanted exactly if used.idx passed used_event; flags are ignored")
    void shouldWantInterruptExactlyWhenUsedEventIsCrossed(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int size = 8;
        SplitRing ring = ring(size);
        SplitQueue queue = queue(size, EVENT_IDX);
        int published = 0;
        int wanted = 0;
        for (int round = 0; round < 40_000; round++) {
            int before = published;
            int burst = random.nextInt(size + 1);
            for (int i = 0; i < burst; i++) {
                ring.add(0x40000, 1, 0);
            }
            for (int i = 0; i < burst; i++) {
                assertThat(queue.take()).isEqualTo(Virtqueue.Take.CHAIN);
                queue.complete(queue.token(), 0);
                published++;
                if (random.nextBoolean()) {
                    queue.publish();
                }
            }
            queue.publish();
            int event = before + random.nextInt(-3, 12);
            ring.usedEvent(event);
            ring.availFlags(random.nextInt(2));
            boolean expected = event >= before && event < published;
            assertThat(queue.interruptWanted())
                    .as("seed %d round %d: used_event %d, used.idx %d to %d", seed, round, event, before, published)
                    .isEqualTo(expected);
            wanted += expected ? 1 : 0;
        }
        assertThat(published).as("the indices wrapped").isGreaterThan(2 * 65536);
        assertThat(wanted).isPositive();
    }

    @Test
    @Spec(id = "V22.1", section = "virtio 1.2 2.7.7.2")
    @DisplayName("V22, 2.7.10: the decision at the wrap, used.idx from 65535 to 0")
    void shouldDecideWhenUsedIndexWraps() {
        SplitRing ring = ring(8);
        SplitQueue queue = queue(8, EVENT_IDX);
        for (int i = 0; i < 65535; i++) {
            serveOne(ring, queue);
            queue.interruptWanted();
        }
        ring.usedEvent(65535);
        serveOne(ring, queue);
        assertThat(ring.usedIdx()).isZero();
        assertThat(queue.interruptWanted()).isTrue();

        ring.usedEvent(65535);
        serveOne(ring, queue);
        assertThat(queue.interruptWanted()).as("65535 is past now").isFalse();
    }

    private static void serveOne(SplitRing ring, SplitQueue queue) {
        ring.add(0x40000, 1, 0);
        assertThat(queue.take()).isEqualTo(Virtqueue.Take.CHAIN);
        queue.complete(queue.token(), 0);
        queue.publish();
    }

    @Test
    @Spec(id = "V23.1", section = "virtio 1.2 2.7.7.2")
    @DisplayName("V23, 2.7.7: without EVENT_IDX avail.flags bit 0 alone decides; used_event is ignored")
    void shouldFollowFlagWhenEventIndexIsNotNegotiated() {
        SplitRing ring = ring(8);
        SplitQueue queue = queue(8, 0);
        for (int i = 0; i < 40; i++) {
            ring.usedEvent(i + (i % 3) - 1);
            ring.availFlags(i & 1);
            serveOne(ring, queue);
            assertThat(queue.interruptWanted()).isEqualTo((i & 1) == 0);
        }
        assertThat(queue.interruptWanted()).as("nothing new").isFalse();
    }

    @Test
    @DisplayName(
            "2.7.10: kicks are asked for by flags, or by avail_event at the next index; suppression needs no store then")
    void shouldAskForKicksWhenEnabled() {
        SplitRing plain = ring(8);
        SplitQueue queue = queue(8, 0);
        queue.disableKicks();
        assertThat(plain.usedFlags()).isEqualTo(1);
        assertThat(queue.enableKicks()).isFalse();
        assertThat(plain.usedFlags()).isZero();

        for (int i = 0; i < 5; i++) {
            serveOne(plain, queue);
        }
        SplitQueue withEvent = queue(8, EVENT_IDX);
        for (int i = 0; i < 5; i++) {
            assertThat(withEvent.take()).isEqualTo(Virtqueue.Take.CHAIN);
            withEvent.complete(withEvent.token(), 0);
        }
        assertThat(withEvent.enableKicks()).isFalse();
        assertThat(plain.availEvent()).isEqualTo(5);
        withEvent.disableKicks();
        assertThat(plain.usedFlags())
                .as("flags stay 0 with EVENT_IDX, 2.7.10.1")
                .isZero();
        assertThat(plain.kickWanted(true, 5)).isFalse();
    }

    @Test
    @Spec(id = "V19.2", section = "virtio 1.2 2.7.5.1")
    @DisplayName("V19, 2.7.5: the descriptor table is never written; nor anything outside of the used ring")
    void shouldWriteNothingButUsedRingWhenServing() {
        SplitRing ring = ring(16);
        ram.fill(USED - 64, 64, (byte) 0x5A);
        ram.fill(USED + SplitRing.usedBytes(16), 64, (byte) 0x5A);
        SplitQueue queue = queue(16, EVENT_IDX);
        for (int i = 0; i < 16; i++) {
            ring.add(0x40000 + i, i, i < 8 ? 0 : SplitRing.WRITE);
        }
        byte[] before = new byte[(int) (USED - DESC)];
        ram.read(DESC, before, 0, before.length);
        List<Long> seen = new ArrayList<>();
        while (queue.take() == Virtqueue.Take.CHAIN) {
            assertThat(queue.chain().next()).isEqualTo(DescriptorChain.Step.DESCRIPTOR);
            seen.add(queue.chain().iova());
            assertThat(queue.chain().next()).isEqualTo(DescriptorChain.Step.END);
            queue.complete(queue.token(), 0);
        }
        queue.publish();
        queue.enableKicks();
        byte[] after = new byte[before.length];
        ram.read(DESC, after, 0, after.length);
        assertThat(after).isEqualTo(before);
        assertThat(seen).hasSize(16);
        assertThat(ram.readByte(USED + SplitRing.usedBytes(16))).isEqualTo((byte) 0x5A);
    }
}

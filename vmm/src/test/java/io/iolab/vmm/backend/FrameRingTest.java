package io.iolab.vmm.backend;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.LittleEndian;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A bounded ring with one producer and one consumer, each on a thread of its own. */
class FrameRingTest {
    private static final int FRAMES = 1_000_000;

    @Test
    @Timeout(120)
    void shouldKeepOrderAndContentBetweenTwoThreads() throws InterruptedException {
        FrameRing ring = new FrameRing(64);
        AtomicLong refused = new AtomicLong();
        Thread producer = Thread.ofPlatform().daemon().start(() -> produce(ring, refused));

        int wrong = 0;
        int most = 0;
        for (int i = 0; i < FRAMES; i++) {
            FrameRing.Slot slot = ring.peek();
            while (slot == null) {
                Thread.yield();
                slot = ring.peek();
            }
            int length = lengthOf(i);
            boolean intact = slot.length == length
                    && slot.arrivalPicos == 1_000L * i
                    && LittleEndian.getInt(slot.bytes, 0) == i
                    && LittleEndian.getInt(slot.bytes, length - 4) == ~i;
            wrong += intact ? 0 : 1;
            most = Math.max(most, slot.length);
            ring.release();
        }
        producer.join();

        assertThat(wrong).isZero();
        assertThat(most).isEqualTo(lengthOf(1_000));
        assertThat(ring.peek()).isNull();
    }

    /** Mostly small frames, now and then one that makes its slot grow. */
    private static int lengthOf(int i) {
        return i % 1_000 == 0 && i > 0 ? 9_000 : 60 + i % 100;
    }

    private static void produce(FrameRing ring, AtomicLong refused) {
        byte[] frame = new byte[9_000];
        for (int i = 0; i < FRAMES; i++) {
            int length = lengthOf(i);
            LittleEndian.putInt(frame, 0, i);
            LittleEndian.putInt(frame, length - 4, ~i);
            while (!ring.offer(frame, 0, length, 1_000L * i)) {
                refused.incrementAndGet();
                Thread.yield();
            }
        }
    }

    @Test
    void shouldHoldNoMoreThanItsCapacity() {
        FrameRing ring = new FrameRing(4);
        byte[] frame = new byte[60];
        for (int i = 0; i < 4; i++) {
            assertThat(ring.hasRoom()).isTrue();
            assertThat(ring.offer(frame, 0, 60, i)).isTrue();
        }

        assertThat(ring.hasRoom()).isFalse();
        assertThat(ring.offer(frame, 0, 60, 4)).isFalse();
        assertThat(ring.peek().arrivalPicos).isZero();

        ring.release();
        assertThat(ring.hasRoom()).isTrue();
        assertThat(ring.peek().arrivalPicos).isOne();
    }

    @Test
    void shouldTakeAFrameLongerThanAnySlotYet() {
        FrameRing ring = new FrameRing(2);
        byte[] jumbo = new byte[70_000];
        jumbo[69_999] = 5;

        ring.offer(jumbo, 0, 70_000, 0);

        assertThat(ring.peek().length).isEqualTo(70_000);
        assertThat(ring.peek().bytes[69_999]).isEqualTo((byte) 5);
    }
}

package io.iolab.vmm.backend;

import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.YieldingWaitStrategy;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue of frames with their arrival times, between one producer thread and one consumer thread. Slots own their
 * bytes, take them at first use and grow once to the largest frame they have held, so that passing a frame copies and does not
 * allocate.
 */
final class FrameRing {

    /** A frame in a ring. Valid for the consumer until {@link FrameRing#release}. */
    static final class Slot {
        private static final int COMMON_FRAME = 2048;
        private static final int LARGEST_FRAME = 16 * 1024;

        byte[] bytes = {};
        int length;
        long arrivalPicos;

        private void fill(byte[] frame, int offset, int frameLength, long arrival) {
            if (frameLength > bytes.length) {
                bytes = new byte[frameLength <= COMMON_FRAME ? COMMON_FRAME : Math.max(frameLength, LARGEST_FRAME)];
            }
            System.arraycopy(frame, offset, bytes, 0, frameLength);
            length = frameLength;
            arrivalPicos = arrival;
        }
    }

    private final RingBuffer<Slot> ring;
    private final Sequence consumed = new Sequence();
    /** Slots that stay free, because a ring's size is a power of two. */
    private final int spare;

    private long next;

    /** @param capacity frames, 1 to 2^30 */
    FrameRing(int capacity) {
        int size = capacity == 1 ? 1 : Integer.highestOneBit(capacity - 1) << 1;
        spare = size - capacity;
        // The wait strategy is for Disruptor's own barriers, which are not used: both ends poll.
        ring = RingBuffer.createSingleProducer(Slot::new, size, new YieldingWaitStrategy());
        ring.addGatingSequences(consumed);
        next = consumed.get() + 1;
    }

    /** Producer: whether {@link #offer} would succeed. */
    boolean hasRoom() {
        return ring.hasAvailableCapacity(spare + 1);
    }

    /** Producer: copies a frame in, or returns false if the ring is full. */
    boolean offer(byte[] frame, int offset, int length, long arrivalPicos) {
        if (!hasRoom()) {
            return false;
        }
        long sequence = ring.next();
        ring.get(sequence).fill(frame, offset, length, arrivalPicos);
        ring.publish(sequence);
        return true;
    }

    /** Consumer: the oldest frame, or null. */
    @Nullable
    Slot peek() {
        return next <= ring.getCursor() ? ring.get(next) : null;
    }

    /** Consumer: gives the oldest frame's slot back. */
    void release() {
        consumed.set(next);
        next++;
    }
}

package io.iolab.devices.virtio.net;

import io.iolab.devices.time.Clock;
import java.util.Arrays;

/**
 * Notification coalescing (virtio 1.3 section 5.1.6.5.8): a queue's used buffers are worth a notification when enough packets
 * have gathered since the last, or the first of them has waited long enough. If either limit is 0 every packet is enough.
 * With nothing configured, which is so after a reset, the clock is not read.
 */
final class Moderation {
    private static final long NANOS_PER_MICRO = 1000;
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;

    private final Clock clock;
    /** Limits by queue, unsigned 32 bits each. */
    private final long[] maxPackets;

    private final long[] maxMicros;
    /** Limits by direction, as last set for all queues of one. */
    private final long[] directionPackets = new long[2];

    private final long[] directionMicros = new long[2];
    private final long[] notifiedPackets;
    /** When the oldest packet that waits was first seen to wait; meaningful where {@link #waiting}. */
    private final long[] since;

    private final boolean[] waiting;
    private boolean active;

    Moderation(Clock clock, int queues) {
        this.clock = clock;
        maxPackets = new long[queues];
        maxMicros = new long[queues];
        notifiedPackets = new long[queues];
        since = new long[queues];
        waiting = new boolean[queues];
    }

    void reset() {
        Arrays.fill(maxPackets, 0);
        Arrays.fill(maxMicros, 0);
        Arrays.fill(directionPackets, 0);
        Arrays.fill(directionMicros, 0);
        Arrays.fill(notifiedPackets, 0);
        Arrays.fill(waiting, false);
        active = false;
    }

    /** Whether any queue is moderated. */
    boolean active() {
        return active;
    }

    void setReceive(long packets, long micros) {
        setDirection(RECEIVE, packets, micros);
    }

    void setTransmit(long packets, long micros) {
        setDirection(TRANSMIT, packets, micros);
    }

    private void setDirection(int direction, long packets, long micros) {
        directionPackets[direction] = packets;
        directionMicros[direction] = micros;
        for (int i = direction; i < maxPackets.length; i += 2) {
            set(i, packets, micros);
        }
    }

    void set(int queue, long packets, long micros) {
        maxPackets[queue] = packets;
        maxMicros[queue] = micros;
        active |= packets != 0 && micros != 0;
    }

    long packets(int queue) {
        return maxPackets[queue];
    }

    long micros(int queue) {
        return maxMicros[queue];
    }

    /** A queue was reset: nothing waits, and what was last set for its direction holds again. */
    void queueReset(int queue) {
        waiting[queue] = false;
        notifiedPackets[queue] = 0;
        set(queue, directionPackets[queue & 1], directionMicros[queue & 1]);
    }

    /**
     * Whether the used buffers of a queue, of which there are some undecided ones, may be told of now.
     *
     * @param packets that went through the queue since it was started
     */
    boolean due(int queue, long packets) {
        if (maxPackets[queue] == 0 || maxMicros[queue] == 0 || packets - notifiedPackets[queue] >= maxPackets[queue]) {
            return true;
        }
        long now = clock.nanos();
        if (!waiting[queue]) {
            waiting[queue] = true;
            since[queue] = now;
        }
        return now - since[queue] >= maxMicros[queue] * NANOS_PER_MICRO;
    }

    /** The same, and if so the decision is taken now. */
    boolean settle(int queue, long packets) {
        boolean due = due(queue, packets);
        if (due) {
            waiting[queue] = false;
            notifiedPackets[queue] = packets;
        }
        return due;
    }

    /** When the first queue that waits becomes due, in nanoseconds of the clock; {@link Long#MAX_VALUE} if none waits. */
    long nextDeadlineNanos() {
        long next = Long.MAX_VALUE;
        for (int i = 0; active && i < waiting.length; i++) {
            if (waiting[i]) {
                next = Math.min(next, since[i] + maxMicros[i] * NANOS_PER_MICRO);
            }
        }
        return next;
    }
}

package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.FrameReceiver;
import org.jspecify.annotations.Nullable;

/** A receive queue, a transmit queue, and what they have in common: a device that breaks the rules of one ends both. */
final class QueuePair {
    private static final long NOTHING = -1;

    private final DriverQueue receiveRing;
    private final DriverQueue transmitRing;
    private final ReceiveQueue receive;
    private final TransmitQueue transmit;
    private final boolean silencesReceive;
    private @Nullable String failure;

    /** What the previous look for a hang saw: buffers returned so far, while some were outstanding. */
    private long watchedTransmit = NOTHING;

    private long watchedSinceNanos;
    /** What the previous look for a stall saw: buffers taken so far, while one waited. */
    private long watchedReceive = NOTHING;

    /** @param eventIdx with it the event index has been passed when an interrupt comes, and stays silent by itself */
    QueuePair(
            DriverQueue receiveRing,
            DriverQueue transmitRing,
            ReceiveQueue receive,
            TransmitQueue transmit,
            boolean eventIdx) {
        this.receiveRing = receiveRing;
        this.transmitRing = transmitRing;
        this.receive = receive;
        this.transmit = transmit;
        silencesReceive = !eventIdx;
    }

    DriverQueue receiveRing() {
        return receiveRing;
    }

    DriverQueue transmitRing() {
        return transmitRing;
    }

    TransmitQueue transmit() {
        return transmit;
    }

    ReceiveQueue receive() {
        return receive;
    }

    /** What the device did wrong, or null. */
    @Nullable
    String failure() {
        return failure;
    }

    void receiveInterrupt() {
        if (silencesReceive) {
            receiveRing.silenceInterrupts();
        }
    }

    /** Whether so many slots are free, or became so while an interrupt was asked for. */
    boolean makeRoom(int slots) {
        reap();
        if (failure != null) {
            return false;
        }
        if (transmit.free() < slots && !transmit.arm(slots)) {
            reap();
        }
        return failure == null && transmit.free() >= slots;
    }

    void reap() {
        if (failure == null && !transmit.reap()) {
            failure = badRing(transmitRing);
        }
    }

    private static String badRing(DriverQueue queue) {
        return "queue " + queue.index() + ": used id 0x" + Integer.toHexString(queue.usedId())
                + " is not a buffer that the device has";
    }

    /** @return frames delivered, at most {@code limit}; fewer mean that interrupts are on again, or that all has ended */
    int receive(int limit, int budget, FrameReceiver receiver) {
        int work = 0;
        while (failure == null) {
            int got = receive.receive(limit - work, budget, receiver);
            if (got < 0) {
                failure = badRing(receiveRing);
            } else {
                work += got;
                if (work == limit || receive.rearm()) {
                    break;
                }
            }
        }
        return work;
    }

    /** Looks at the used ring in RAM only. @return how Linux words a hang, or null if there is none */
    @Nullable
    String transmitHang(long nowNanos) {
        if (transmitRing.inFlight() == 0 || transmitRing.hasUsed()) {
            watchedTransmit = NOTHING;
            return null;
        }
        long reaped = transmitRing.reaped();
        if (reaped != watchedTransmit) {
            watchedTransmit = reaped;
            watchedSinceNanos = nowNanos;
            return null;
        }
        int queue = transmitRing.index();
        return "TX timeout on queue: %1$d, sq: output.%1$d, vq: 0x%2$x, name: output.%1$d, %3$d usecs ago"
                .formatted(queue >>> 1, queue, (nowNanos - watchedSinceNanos) / 1000);
    }

    /** Looks at the used ring in RAM only. @return what stalls, or null */
    @Nullable
    String receiveStall() {
        long next = failure == null && receiveRing.hasUsed() ? receiveRing.reaped() : NOTHING;
        boolean stuck = next != NOTHING && next == watchedReceive;
        watchedReceive = next;
        return stuck
                ? "input." + (receiveRing.index() >>> 1) + ": buffer " + next
                        + " is used, and no interrupt has come for it"
                : null;
    }
}

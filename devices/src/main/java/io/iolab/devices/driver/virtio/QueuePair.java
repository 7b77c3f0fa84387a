package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.FrameReceiver;
import org.jspecify.annotations.Nullable;

/** A receive queue, a transmit queue, and what they have in common: a device that breaks the rules of one ends both. */
final class QueuePair {
    private final DriverQueue receiveRing;
    private final DriverQueue transmitRing;
    private final ReceiveQueue receive;
    private final TransmitQueue transmit;
    private final boolean silencesReceive;
    private @Nullable String failure;

    /** What the previous look for a hang saw: buffers returned, or -1. */
    private long watchedUsed = -1;

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

    /** Looks at the used ring in RAM only. */
    boolean transmitHung() {
        reap();
        if (failure != null) {
            return true;
        }
        long used = transmitRing.reaped();
        if (transmitRing.inFlight() == 0) {
            watchedUsed = -1;
            return false;
        }
        boolean stuck = used == watchedUsed;
        watchedUsed = used;
        return stuck;
    }
}

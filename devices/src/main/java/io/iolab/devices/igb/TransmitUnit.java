package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.register.RegisterFile;

/** Serves the transmit queues in turn. */
final class TransmitUnit {
    /** Frames of one queue before the next one has its turn. */
    private static final int QUANTUM = 16;

    private final RegisterFile registers;
    private final LinkUnit link;
    private final PoolSwitch pools;
    private final InterruptUnit interrupts;
    private final TransmitQueue[] queues;
    private int turn;

    TransmitUnit(Core core, LinkUnit link, PoolSwitch pools, InterruptUnit interrupts, TransmitQueue[] queues) {
        this.registers = core.registers();
        this.link = link;
        this.pools = pools;
        this.interrupts = interrupts;
        this.queues = queues;
    }

    private boolean on() {
        return (registers.get(TCTL) & TCTL_EN) != 0 && link.linkUp() && link.masterEnabled();
    }

    private boolean allowed(TransmitQueue queue) {
        return queue.enabled() && (registers.get(VFTE) >>> pools.poolOf(queue.index) & 1) != 0;
    }

    boolean workPending(int queueMask) {
        boolean on = on();
        for (TransmitQueue queue : queues) {
            boolean asked = (queueMask >>> queue.index & 1) != 0;
            if (asked && (queue.completed() || on && allowed(queue) && queue.workPending())) {
                return true;
            }
        }
        return false;
    }

    int poll(int budget, int queueMask) {
        int frames = 0;
        int idle = 0;
        while (frames < budget && idle < QUEUES && on()) {
            TransmitQueue queue = queues[turn];
            boolean served = (queueMask >>> turn & 1) != 0 && allowed(queue);
            int moved = served ? queue.poll(Math.min(QUANTUM, budget - frames)) : 0;
            frames += moved;
            // The turn passes on when the quantum is used up, or there is no more.
            idle = moved == 0 ? idle + 1 : 0;
            turn = turn + 1 == QUEUES ? 0 : turn + 1;
        }
        return frames;
    }

    void flush() {
        for (TransmitQueue queue : queues) {
            if (queue.takeCompleted()) {
                interrupts.raiseQueue(queue.index, true);
            }
        }
    }
}

package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;

/**
 * The transmitter: its queues, and when to interrupt (82540 SDM 3.4; 82574 datasheet 7.2). It runs while TCTL.EN is set and the
 * MAC has link or loops back; without link frames stay queued, which drivers take for a reason to reset.
 */
final class TransmitUnit {
    /** TARC bit 10 (82574). */
    private static final int TARC_ENABLE = 1 << 10;

    private static final int TARC = 0x3840;
    private static final int LWTHRESH_SHIFT = 25;
    private static final int LWTHRESH_UNIT = 8;

    private final E1000Model model;
    private final RegisterFile registers;
    private final LinkUnit link;
    private final FlowControl flow;
    private final TransmitOutput output;
    private final InterruptUnit interrupts;
    private final Clock clock;
    private final E1000Counters counters;
    private final Statistics statistics;
    private final TransmitQueue[] queues;
    private final DelayTimer delay = new DelayTimer();
    private int firstQueue;

    TransmitUnit(Core core, DmaPort dma, ReceiveUnit.Parts parts, TransmitOutput output) {
        this.model = core.model();
        this.registers = core.registers();
        this.link = parts.link();
        this.flow = parts.flow();
        this.output = output;
        this.interrupts = parts.interrupts();
        this.clock = core.clock();
        this.counters = core.counters();
        this.statistics = core.statistics();
        this.queues = new TransmitQueue[model.queues()];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new TransmitQueue(core, i, dma, output);
        }
        registers.onWrite(E1000Registers.TCTL, (written, previous) -> flow.transmitControlWritten(written));
        registers.onWrite(E1000Registers.TIDV, (written, previous) -> {
            if ((written & E1000Registers.DELAY_FPD) != 0 && delay.running()) {
                expire();
            }
        });
    }

    void reset() {
        for (TransmitQueue queue : queues) {
            queue.reset();
        }
        delay.cancel();
    }

    void cancelDelay() {
        delay.cancel();
    }

    private boolean enabled() {
        return (registers.get(E1000Registers.TCTL) & E1000Registers.TCTL_EN) != 0
                && !flow.paused()
                && link.masterEnabled()
                && (link.linkUp() || output.loopback());
    }

    private boolean queueEnabled(int index) {
        return model == E1000Model.I82540EM
                || (registers.get(TARC + index * E1000Registers.QUEUE_STRIDE) & TARC_ENABLE) != 0;
    }

    boolean workPending() {
        if (!enabled()) {
            return false;
        }
        for (int i = 0; i < queues.length; i++) {
            if (queueEnabled(i) && queues[i].hasWork()) {
                return true;
            }
        }
        return false;
    }

    /** @return frames sent */
    int poll(int budget) {
        if (!enabled()) {
            return 0;
        }
        int frames = 0;
        // The queue that did not go first last time goes first, so that a full one cannot starve the other.
        for (int i = 0; i < queues.length && frames < budget; i++) {
            int index = (firstQueue + i) % queues.length;
            if (queueEnabled(index) && queues[index].hasWork()) {
                frames += run(index, budget - frames);
            }
        }
        firstQueue = (firstQueue + 1) % queues.length;
        return frames;
    }

    private int run(int index, int budget) {
        TransmitQueue queue = queues[index];
        boolean every =
                model == E1000Model.I82574L && (registers.get(E1000Registers.IVAR) & E1000Registers.IVAR_TX_EVERY) != 0;
        int before = queue.backlog();
        int frames = queue.run(budget, every);
        if (queue.progressed.take()) {
            int causes = 0;
            if (queue.isEmpty()) {
                causes = InterruptCause.TXQE;
                statistics.count(Statistics.Fact.TX_EMPTY);
            }
            int low = LWTHRESH_UNIT
                    * (registers.get(E1000Registers.TXDCTL + index * E1000Registers.QUEUE_STRIDE) >>> LWTHRESH_SHIFT);
            if (low != 0 && before > low && queue.backlog() <= low) {
                causes |= InterruptCause.TXD_LOW;
                statistics.count(Statistics.Fact.TX_LOW);
            }
            causes |= reported(index, queue.reportedNow.take(), queue.reportedLater.take());
            if (causes != 0) {
                interrupts.raise(causes);
            }
        }
        return frames;
    }

    /** TXDW at once, or after TIDV and TADV for descriptors with IDE; in MSI-X mode EITR moderates instead. */
    private int reported(int index, boolean now, boolean later) {
        if (!now && !later) {
            return 0;
        }
        if (interrupts.inVectorMode()) {
            return InterruptCause.TXQ0 << index;
        }
        int wait = registers.get(E1000Registers.TIDV);
        // A delay of 0 with IDE is not allowed (82540 SDM 13.4, TIDV); it is taken for no delay.
        if (now || wait == 0) {
            delay.cancel();
            return InterruptCause.TXDW;
        }
        counters.moderated++;
        delay.restart(clock.nanos(), wait, registers.get(E1000Registers.TADV));
        return 0;
    }

    private void expire() {
        delay.cancel();
        interrupts.raise(InterruptCause.TXDW);
    }

    void pollTimers(long now) {
        if (delay.expire(now)) {
            statistics.count(
                    delay.absoluteEnded() ? Statistics.Fact.TX_ABSOLUTE_TIMER : Statistics.Fact.TX_PACKET_TIMER);
            interrupts.raise(InterruptCause.TXDW);
        }
    }

    long deadline() {
        return delay.deadline();
    }
}

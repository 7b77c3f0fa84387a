package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.register.RegisterFile;

/**
 * A ring of 16-byte descriptors between head and tail (82576 datasheet 7.1.3 and 7.2.2). Descriptors are fetched in blocks and never
 * twice. A ring that cannot be read, or whose indices lie beyond it, stands still until its next doorbell.
 */
abstract class DescriptorQueue {
    static final int UNIT = 16;

    private static final int BLOCK = 16;
    private static final int LENGTH = RDLEN - RDBAL;
    private static final int HEAD = RDH - RDBAL;
    private static final int TAIL = RDT - RDBAL;
    private static final int CONTROL = RXDCTL - RDBAL;

    final int index;
    final RegisterFile registers;
    final Igb82576Counters counters;
    final byte[] block = new byte[BLOCK * UNIT];
    /** The port of the function that owns the queue now. */
    DmaPort dma;

    private final int base;
    private final int controlReset;
    private long ringIova;
    private int ringSize;
    private int head;
    private int tail;
    private int fetched;
    private int next;
    private boolean enabled;
    private boolean stalled;
    private int generation;
    private boolean completed;

    /** @param base offset of the ring's base address register */
    DescriptorQueue(
            int index, int base, int controlReset, RegisterFile registers, DmaPort dma, Igb82576Counters counters) {
        this.index = index;
        this.base = base;
        this.controlReset = controlReset;
        this.registers = registers;
        this.dma = dma;
        this.counters = counters;
        registers.onRead(base + HEAD, () -> head);
        registers.onWrite(base + HEAD, (written, previous) -> ringChanged());
        registers.onWrite(base, (written, previous) -> ringChanged());
        registers.onWrite(base + 4, (written, previous) -> ringChanged());
        registers.onWrite(base + LENGTH, (written, previous) -> ringChanged());
        registers.onWrite(base + TAIL, (written, previous) -> doorbell());
        registers.onWrite(base + CONTROL, (written, previous) -> switched());
    }

    /** Registers and ring as after a reset of the function that owns the queue. */
    void reset() {
        for (int word = 0; word < QUEUE_STRIDE; word += 4) {
            registers.set(base + word, 0);
        }
        registers.set(base + CONTROL, controlReset);
        enabled = false;
        completed = false;
        ringChanged();
    }

    /** The ring was programmed anew: what was fetched belongs to the old one. */
    private void ringChanged() {
        ringIova = registers.get64(base);
        ringSize = registers.get(base + LENGTH) / UNIT;
        head = registers.get(base + HEAD);
        tail = registers.get(base + TAIL);
        forget();
    }

    private void forget() {
        generation++;
        fetched = 0;
        next = 0;
        stalled = false;
        forgetPacket();
    }

    /** Drops what was put together from descriptors of a ring that is no more. */
    void forgetPacket() {}

    /** The queue was enabled. */
    void opened() {}

    private void switched() {
        boolean on = (registers.get(base + CONTROL) & QUEUE_ENABLE) != 0;
        if (on != enabled) {
            enabled = on;
            if (on) {
                opened();
            }
            forget();
        }
    }

    private void doorbell() {
        stalled = false;
        tail = registers.get(base + TAIL);
        if (enabled && (head >= ringSize || tail >= ringSize)) {
            counters.ringFaults++;
        }
    }

    final boolean enabled() {
        return enabled;
    }

    /** Changes when the ring is programmed anew, which a DMA write of this very queue may do. */
    final int generation() {
        return generation;
    }

    final int head() {
        return head;
    }

    final int ringSize() {
        return ringSize;
    }

    /** Descriptors that the device may use. */
    final int available() {
        if (!enabled || stalled || head >= ringSize || tail >= ringSize) {
            return 0;
        }
        int span = tail - head;
        return span < 0 ? span + ringSize : span;
    }

    /** Makes the descriptor at head present in {@link #block}, at {@link #at}. */
    final boolean load() {
        if (next < fetched) {
            return enabled && !stalled;
        }
        int count = Math.min(Math.min(BLOCK, available()), ringSize - head);
        if (count <= 0) {
            return false;
        }
        DmaFault fault = dma.read(iova(), block, 0, count * UNIT, DmaKind.DESCRIPTOR);
        if (fault != DmaFault.NONE) {
            counters.dmaFaults++;
            stalled = true;
            return false;
        }
        fetched = count;
        next = 0;
        return true;
    }

    /** Where in {@link #block} the descriptor at head is. */
    final int at() {
        return next * UNIT;
    }

    /** The address of the descriptor at head. */
    final long iova() {
        return ringIova + (long) UNIT * head;
    }

    final void advance() {
        next++;
        head = head + 1 >= ringSize ? 0 : head + 1;
    }

    /** Notes a completion that is to interrupt. */
    final void complete() {
        completed = true;
    }

    final boolean completed() {
        return completed;
    }

    /** Whether something was completed since the last call. */
    final boolean takeCompleted() {
        boolean was = completed;
        completed = false;
        return was;
    }
}

package io.iolab.devices.e1000;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.register.RegisterFile;

/**
 * What one controller has done since it was built. Nothing the guest does sets these back: neither a reset nor a read of the
 * statistics registers. Written by the thread that owns the controller; others may read at any time, without order.
 */
public final class E1000Counters {
    private final RegisterFile registers;

    long txFrames;
    long txBytes;
    long txDropped;
    long txFiltered;
    long txMalformed;
    long txUnreachable;
    long txBusy;
    long rxFrames;
    long rxBytes;
    long rxDisabled;
    long rxLinkDown;
    long rxFiltered;
    long rxBadLength;
    long rxOverruns;
    long rxUnreachable;
    long rxWaited;
    long descriptorFetches;
    long descriptorsFetched;
    long writeBacks;
    long descriptorsWrittenBack;
    long ringFaults;
    long dmaFaults;
    long causesRaised;
    long pinAssertions;
    long messages;
    long moderated;
    long resets;
    long wakeEvents;
    long pmeAssertions;

    E1000Counters(RegisterFile registers) {
        this.registers = registers;
    }

    /** Frames that left the transmitter, segments of a TSO packet each on its own. */
    public long txFrames() {
        return txFrames;
    }

    /** Bytes of those frames, without FCS. */
    public long txBytes() {
        return txBytes;
    }

    /** Transmitted frames that the wire side dropped. */
    public long txDropped() {
        return txDropped;
    }

    /** Transmitted frames that the wire side threw away on purpose. */
    public long txFiltered() {
        return txFiltered;
    }

    /** Packets not sent since their descriptors made no sense: unknown type, oversized, too short, TSO without context. */
    public long txMalformed() {
        return txMalformed;
    }

    /** Packets not sent since a buffer could not be read. */
    public long txUnreachable() {
        return txUnreachable;
    }

    /** Times the wire side had no room, and the frame was kept. */
    public long txBusy() {
        return txBusy;
    }

    /** Frames put into receive buffers. */
    public long rxFrames() {
        return rxFrames;
    }

    /** Bytes of those frames as they arrived, without FCS. */
    public long rxBytes() {
        return rxBytes;
    }

    /** Frames that came while the receiver, bus mastering or the function's power was off. */
    public long rxDisabled() {
        return rxDisabled;
    }

    /** Frames that came while the MAC had no link. */
    public long rxLinkDown() {
        return rxLinkDown;
    }

    /** Frames that no address or VLAN filter let through. */
    public long rxFiltered() {
        return rxFiltered;
    }

    /** Frames that were too short or too long. */
    public long rxBadLength() {
        return rxBadLength;
    }

    /** Frames lost because neither a descriptor nor room in the packet buffer was left. */
    public long rxOverruns() {
        return rxOverruns;
    }

    /** Frames damaged because a receive buffer could not be written. */
    public long rxUnreachable() {
        return rxUnreachable;
    }

    /** Frames that waited in the packet buffer for a descriptor. */
    public long rxWaited() {
        return rxWaited;
    }

    /** DMA reads of descriptors. */
    public long descriptorFetches() {
        return descriptorFetches;
    }

    /** Descriptors those reads brought. */
    public long descriptorsFetched() {
        return descriptorsFetched;
    }

    /** DMA writes of completed descriptors. */
    public long writeBacks() {
        return writeBacks;
    }

    /** Descriptors those writes completed. */
    public long descriptorsWrittenBack() {
        return descriptorsWrittenBack;
    }

    /** Doorbells for a ring that cannot be walked: no length, or head or tail beyond it. */
    public long ringFaults() {
        return ringFaults;
    }

    /** DMA requests that failed, of any kind. */
    public long dmaFaults() {
        return dmaFaults;
    }

    /** Interrupt causes set in ICR, each bit that was clear before counting one. */
    public long causesRaised() {
        return causesRaised;
    }

    /** Times the interrupt pin's request went from inactive to active. */
    public long pinAssertions() {
        return pinAssertions;
    }

    /** Interrupt messages handed on: MSI, and MSI-X vectors fired, masked ones included. */
    public long messages() {
        return messages;
    }

    /** Interrupts held back by ITR, EITR or a delay timer. */
    public long moderated() {
        return moderated;
    }

    /** Controller resets of every kind. */
    public long resets() {
        return resets;
    }

    /** Packets and link changes that were a reason to wake the system. */
    public long wakeEvents() {
        return wakeEvents;
    }

    /** Times PME# went from inactive to active. */
    public long pmeAssertions() {
        return pmeAssertions;
    }

    /** Register accesses that were ignored for this reason. */
    public long ignored(RegisterFault reason) {
        return registers.ignored(reason);
    }
}

package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.NetDriver;
import java.lang.invoke.VarHandle;
import java.util.List;

/** One queue pair: what both drivers do with frames, whatever function they drive. */
abstract class DataPath implements NetDriver {
    private final RegisterWindow registers;
    private final AdvancedTransmitRing transmit;
    private final AdvancedReceiveRing receive;
    private final int transmitTail;
    private final int reapBelow;
    private long doorbells;
    private int watchedTransmit = -1;
    private int watchedReceive = -1;
    private List<String> report = List.of();

    DataPath(RegisterWindow registers, AdvancedTransmitRing transmit, AdvancedReceiveRing receive, int transmitTail) {
        this.registers = registers;
        this.transmit = transmit;
        this.receive = receive;
        this.transmitTail = transmitTail;
        this.reapBelow = Math.max(1, transmit.size / 16);
    }

    /** Turns interrupts on again after a poll that ran dry. */
    abstract void resume();

    /** The ring is full: from now on a completion must interrupt. */
    abstract void awaitTransmit();

    /** Work that an interrupt has put off: link, mailbox. */
    abstract void housekeeping();

    @Override
    public final boolean queue(byte[] frame, int offset, int length) {
        if (length > DescriptorRing.BUFFER_SIZE) {
            throw new IllegalArgumentException("frame of " + length + " bytes");
        }
        if (transmit.free() < reapBelow) {
            transmit.reap();
        }
        if (transmit.free() == 0) {
            awaitTransmit();
            return false;
        }
        transmit.put(frame, offset, length);
        return true;
    }

    @Override
    public final void flush() {
        if (transmit.unpublished()) {
            int tail = transmit.publish();
            VarHandle.releaseFence();
            registers.write(transmitTail, tail);
            doorbells++;
        }
    }

    @Override
    public final int poll(int budget, FrameReceiver receiver) {
        housekeeping();
        transmit.reap();
        int work = receive.receive(budget, receiver);
        if (work < budget) {
            resume();
        }
        return work;
    }

    @Override
    public final int transmitSlots() {
        return transmit.free();
    }

    @Override
    public final int transmitsInFlight() {
        return transmit.inFlight();
    }

    @Override
    public final boolean transmitHung() {
        int oldest = transmit.waiting() ? transmit.nextToClean : -1;
        boolean stuck = oldest >= 0 && oldest == watchedTransmit;
        watchedTransmit = oldest;
        if (stuck) {
            report = List.of(
                    name() + ": Detected Tx Unit Hang",
                    "  next_to_use          <" + Integer.toHexString(transmit.nextToUse) + ">",
                    "  next_to_clean        <" + Integer.toHexString(transmit.nextToClean) + ">");
        }
        return stuck;
    }

    @Override
    public final boolean receiveStalled() {
        int next = receive.waiting() ? receive.nextToClean : -1;
        boolean stuck = next >= 0 && next == watchedReceive;
        watchedReceive = next;
        if (stuck) {
            report = List.of(name() + ": receive descriptor <" + Integer.toHexString(next)
                    + "> is done, and no interrupt has come for it");
        }
        return stuck;
    }

    @Override
    public final List<String> report() {
        return report;
    }

    @Override
    public final long receiveErrors() {
        return receive.dropped();
    }

    @Override
    public final long doorbells() {
        return doorbells;
    }

    @Override
    public final long doorbellsSuppressed() {
        return 0;
    }
}

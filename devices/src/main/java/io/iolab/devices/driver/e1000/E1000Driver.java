package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.time.Clock;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * The driver for the 82540EM (8086:100E) and the 82574L (8086:10D3). Frames of up to 2048 bytes are sent, one descriptor
 * each.
 *
 * <p>{@link #queue} looks for finished descriptors only when fewer than a sixteenth of the ring is free; that costs reads of
 * RAM. Device registers are touched by {@link #flush} (TDT), refills (RDT) and interrupts.
 */
public final class E1000Driver implements NetDriver {
    /** Autonegotiation takes up to this long; a cable that is not plugged in must not hold the system up. */
    private static final long LINK_WAIT_NANOS = 5_000 * Part.MILLISECOND;

    private static final long LINK_POLL_NANOS = 10 * Part.MILLISECOND;

    private final Part part;
    private final RegisterWindow registers;
    private final TransmitRing transmit;
    private final ReceiveRing receive;
    private final DriverPlatform platform;
    private final Clock clock;
    private final int reapBelow;
    private byte[] mac = new byte[6];
    private long transmitDoorbells;

    private final HangReport hangReport;
    /** The oldest descriptor at the previous look for a hang, if it was outstanding then; or -1. */
    private int watchedTransmit = -1;

    /** The descriptor that a frame waited in at the previous look for a stall, or -1. */
    private int watchedReceive = -1;

    private List<String> report = List.of();

    /** @throws io.iolab.devices.driver.DriverException if this is no such device, or its BARs or vectors are missing */
    public E1000Driver(DriverPlatform platform, PciDevice device, E1000Options options) {
        this.platform = platform;
        clock = platform.clock();
        part = Part.of(platform, device, options);
        registers = part.registers;
        transmit = new TransmitRing(platform, options.txRing(), options.tidv() != 0);
        receive = new ReceiveRing(platform, registers, part.receiveLayout(), options);
        part.reapTransmits = transmit::reap;
        reapBelow = Math.max(1, options.txRing() / 16);
        hangReport = new HangReport(clock, part, device, transmit);
    }

    @Override
    public String name() {
        return part.driverName();
    }

    /**
     * {@inheritDoc} To be called once. It waits up to five seconds for the link; without one, transmission starts when a link
     * interrupt comes.
     */
    @Override
    public void open() {
        mac = part.bringUp();
        part.configure(transmit, receive);
        receive.refill();
        part.connectInterrupts(mac);
        for (long waited = 0; !part.updateLink() && waited < LINK_WAIT_NANOS; waited += LINK_POLL_NANOS) {
            platform.delayNanos(LINK_POLL_NANOS);
        }
    }

    @Override
    public byte[] macAddress() {
        return mac.clone();
    }

    @Override
    public boolean queue(byte[] frame, int offset, int length) {
        if (length > TransmitRing.BUFFER_SIZE) {
            throw new IllegalArgumentException("frame of " + length + " bytes");
        }
        if (transmit.free() < reapBelow) {
            transmit.reap();
        }
        if (transmit.free() == 0) {
            part.awaitTransmit();
            return false;
        }
        transmit.put(frame, offset, length, clock.nanos());
        return true;
    }

    @Override
    public void flush() {
        if (transmit.unpublished()) {
            int tail = transmit.publish();
            // Descriptors before the tail: the device fetches as soon as it sees TDT.
            VarHandle.releaseFence();
            registers.write(Reg.TDT, tail);
            transmitDoorbells++;
        }
    }

    @Override
    public int poll(int budget, FrameReceiver receiver) {
        if (part.linkChanged) {
            part.updateLink();
        }
        transmit.reap();
        int work = receive.receive(budget, receiver);
        if (work < budget) {
            part.resume();
        }
        return work;
    }

    @Override
    public int transmitSlots() {
        return transmit.free();
    }

    @Override
    public int transmitsInFlight() {
        return transmit.inFlight();
    }

    /**
     * {@inheritDoc} That is: the oldest descriptor is not done, it was the oldest at the previous call too, and no pause frame
     * holds the unit. Registers are read only once the oldest descriptor has not moved.
     */
    @Override
    public boolean transmitHung() {
        int oldest = transmit.waiting() ? transmit.nextToClean() : -1;
        boolean stuck = oldest >= 0 && oldest == watchedTransmit;
        watchedTransmit = oldest;
        if (!stuck || (registers.read(Reg.STATUS) & Reg.STATUS_TXOFF) != 0) {
            return false;
        }
        report = hangReport.lines();
        return true;
    }

    @Override
    public boolean receiveStalled() {
        int next = receive.waiting() ? receive.nextToClean() : -1;
        boolean stuck = next >= 0 && next == watchedReceive;
        watchedReceive = next;
        if (stuck) {
            report = List.of(hangReport.prefix() + "receive descriptor <" + Integer.toHexString(next)
                    + "> is done, and no interrupt has come for it");
        }
        return stuck;
    }

    @Override
    public List<String> report() {
        return report;
    }

    @Override
    public long receiveErrors() {
        return receive.dropped();
    }

    /** TDT writes. */
    @Override
    public long doorbells() {
        return transmitDoorbells;
    }

    @Override
    public long doorbellsSuppressed() {
        return 0;
    }
}

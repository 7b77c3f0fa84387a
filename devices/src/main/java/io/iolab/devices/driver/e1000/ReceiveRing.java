package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import java.lang.invoke.VarHandle;

/**
 * Receive descriptors and the buffers that wait in them. The device owns RDH up to RDT and never the slot at RDT, so a ring
 * of N is filled with N-1 and RDT is the last one filled (8254x SDM 3.2.6).
 *
 * <p>A frame that spans buffers is put together in a scratch array; a frame with an error bit is counted and dropped.
 */
final class ReceiveRing extends DescriptorRing {

    /** What the device writes back, and how the driver that knows this layout hands descriptors over. */
    enum Layout {
        /** 8254x SDM 3.2.3; length counts the FCS. Each refill ends with a write of RDT, as in Linux's e1000. */
        LEGACY(12, 8, 0x97 << 8, 4),
        /** 82574 datasheet 7.1.4.2; the FCS is stripped. RDT is written at every sixteenth index alone, as in Linux's e1000e. */
        EXTENDED(8, 12, 0x97 << 24, 0);

        private final int statusAt;
        private final int lengthAt;
        /** CE, SE, SEQ, CXE, RXE: what makes a frame unusable. */
        private final int errors;

        private final int fcs;

        Layout(int statusAt, int lengthAt, int errors, int fcs) {
            this.statusAt = statusAt;
            this.lengthAt = lengthAt;
            this.errors = errors;
            this.fcs = fcs;
        }
    }

    private static final int DD = 1;
    private static final int EOP = 1 << 1;
    /** The longest frame that any part of the family receives (8254x SDM 13.4.22, LPE). */
    private static final int LONGEST_FRAME = 16384;

    private final RegisterWindow registers;
    private final Layout layout;
    private final int batch;
    private final byte[] scratch = new byte[LONGEST_FRAME + 4];
    private int filled;
    private boolean damaged;
    private int nextToUse;
    private int nextToClean;
    private long doorbells;
    private long dropped;

    ReceiveRing(DriverPlatform platform, RegisterWindow registers, Layout layout, E1000Options options) {
        super(platform, options.rxRing(), options.bufferSize());
        this.registers = registers;
        this.layout = layout;
        this.batch = options.rxBatchRefill();
    }

    /** Writes of RDT. */
    long doorbells() {
        return doorbells;
    }

    /** Frames thrown away for an error bit or for their length. */
    long dropped() {
        return dropped;
    }

    /** Index of the descriptor that comes next. */
    int nextToClean() {
        return nextToClean;
    }

    /** Whether the device is done with the descriptor that comes next. */
    boolean waiting() {
        return (ram.loadIntAcquire(descriptorPa(nextToClean) + layout.statusAt) & DD) != 0;
    }

    /** Gives all free descriptors to the device. */
    void refill() {
        int unused = (nextToClean - nextToUse - 1 + size) % size;
        for (int i = 0; i < unused; i++) {
            int index = nextToUse;
            long descriptor = descriptorPa(index);
            ram.writeLong(descriptor, lendBuffer(index, bufferSize, true));
            ram.writeLong(descriptor + 8, 0);
            nextToUse = next(index);
            if (layout == Layout.EXTENDED && (index & batch - 1) == 0) {
                ring(index);
            }
        }
        if (layout == Layout.LEGACY && unused > 0) {
            ring(nextToUse == 0 ? size - 1 : nextToUse - 1);
        }
    }

    private void ring(int lastFilled) {
        VarHandle.releaseFence();
        registers.write(Reg.RDT, lastFilled);
        doorbells++;
    }

    /**
     * Delivers frames until there are no more or {@code budget} is spent. A stale DD is never met: descriptors are given back
     * after at most one batch, half a ring before the sweep comes round.
     *
     * @return frames taken off the ring, damaged ones included
     */
    int receive(int budget, FrameReceiver receiver) {
        int work = 0;
        int cleaned = 0;
        while (work < budget) {
            long descriptor = descriptorPa(nextToClean);
            int status = ram.loadIntAcquire(descriptor + layout.statusAt);
            if ((status & DD) == 0) {
                break;
            }
            int length = ram.readShort(descriptor + layout.lengthAt) & 0xFFFF;
            gather(status, length);
            nextToClean = next(nextToClean);
            if ((status & EOP) != 0) {
                deliver(receiver);
                work++;
            }
            if (++cleaned >= batch) {
                refill();
                cleaned = 0;
            }
        }
        refill();
        return work;
    }

    private void gather(int status, int length) {
        int bytes = Math.min(length, bufferSize);
        takeBuffer(nextToClean, bytes);
        if ((status & EOP) != 0 && (status & layout.errors) != 0 || filled + bytes > scratch.length) {
            damaged = true;
        }
        if (!damaged) {
            ram.read(bufferPa(nextToClean), scratch, filled, bytes);
            filled += bytes;
        }
    }

    private void deliver(FrameReceiver receiver) {
        int length = filled - layout.fcs;
        boolean usable = !damaged && length > 0;
        filled = 0;
        damaged = false;
        if (usable) {
            receiver.frame(scratch, 0, length);
        } else {
            dropped++;
        }
    }
}

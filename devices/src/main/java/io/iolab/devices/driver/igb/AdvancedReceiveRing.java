package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.FrameReceiver;
import java.lang.invoke.VarHandle;

/**
 * Advanced receive descriptors with one buffer each (82576 datasheet 7.1.5), FCS stripped. The device never owns the slot at RDT, so a
 * ring of N is filled with N-1.
 */
final class AdvancedReceiveRing extends DescriptorRing {
    private static final int STATUS = 8;
    private static final int LENGTH = 12;
    private static final int DD = 1;
    private static final int EOP = 1 << 1;
    /** CE, SE, SEQ, CXE, RXE: what makes a frame unusable. */
    private static final int ERRORS = 0x9700_0000;

    private static final int BATCH = 16;
    private static final int LONGEST_FRAME = 16_384;

    private final RegisterWindow registers;
    private final int tailRegister;
    private final byte[] scratch = new byte[LONGEST_FRAME];
    private int filled;
    private boolean damaged;
    private long dropped;

    /** @param tailRegister offset of RDT */
    AdvancedReceiveRing(DriverPlatform platform, RegisterWindow registers, int tailRegister, int size) {
        super(platform, size);
        this.registers = registers;
        this.tailRegister = tailRegister;
    }

    @Override
    void clear() {
        super.clear();
        filled = 0;
        damaged = false;
    }

    /** Frames thrown away for an error bit or for their length. */
    long dropped() {
        return dropped;
    }

    boolean waiting() {
        return (ram.loadIntAcquire(descriptorPa(nextToClean) + STATUS) & DD) != 0;
    }

    /** Gives all free descriptors to the device. */
    void refill() {
        int unused = (nextToClean - nextToUse - 1 + size) % size;
        if (unused == 0) {
            return;
        }
        for (int i = 0; i < unused; i++) {
            long descriptor = descriptorPa(nextToUse);
            ram.writeLong(descriptor, lendBuffer(nextToUse, BUFFER_SIZE, true));
            ram.writeLong(descriptor + 8, 0);
            nextToUse = next(nextToUse);
        }
        // Descriptors before the tail: the device fetches as soon as it sees RDT.
        VarHandle.releaseFence();
        registers.write(tailRegister, nextToUse);
    }

    /** Delivers frames until there are no more or {@code budget} is spent. @return frames taken off the ring */
    int receive(int budget, FrameReceiver receiver) {
        int work = 0;
        int cleaned = 0;
        while (work < budget) {
            long descriptor = descriptorPa(nextToClean);
            int status = ram.loadIntAcquire(descriptor + STATUS);
            if ((status & DD) == 0) {
                break;
            }
            gather(status, ram.readShort(descriptor + LENGTH) & 0xFFFF);
            nextToClean = next(nextToClean);
            if ((status & EOP) != 0) {
                deliver(receiver);
                work++;
            }
            if (++cleaned >= BATCH) {
                refill();
                cleaned = 0;
            }
        }
        if (cleaned > 0) {
            refill();
        }
        return work;
    }

    private void gather(int status, int length) {
        int bytes = Math.min(length, BUFFER_SIZE);
        takeBuffer(nextToClean, bytes);
        if ((status & EOP) != 0 && (status & ERRORS) != 0 || filled + bytes > scratch.length) {
            damaged = true;
        }
        if (!damaged) {
            ram.read(bufferPa(nextToClean), scratch, filled, bytes);
            filled += bytes;
        }
    }

    private void deliver(FrameReceiver receiver) {
        int length = filled;
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

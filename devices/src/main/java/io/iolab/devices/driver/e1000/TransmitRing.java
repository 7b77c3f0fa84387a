package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverPlatform;

/**
 * Legacy transmit descriptors (8254x SDM 3.3.3). The device owns TDH up to TDT and never the slot at TDT, so one slot stays
 * empty. Completion is learnt from DD in RAM, never from TDH: the device may have fetched what it has not sent (SDM 3.4).
 */
final class TransmitRing extends DescriptorRing {
    static final int BUFFER_SIZE = 2048;

    private static final int LENGTH_COMMAND = 8;
    private static final int STATUS = 12;
    private static final int DD = 1;
    private static final int COMMAND_EOP = 1;
    private static final int COMMAND_IFCS = 1 << 1;
    private static final int COMMAND_RS = 1 << 3;
    private static final int COMMAND_IDE = 1 << 7;

    private final long command;
    /** When each slot was filled. */
    private final long[] stampNanos;

    private int nextToUse;
    private int nextToClean;
    private int published;
    private int free;

    /** @param delayed whether completions may be reported late (TIDV) */
    TransmitRing(DriverPlatform platform, int size, boolean delayed) {
        super(platform, size, BUFFER_SIZE);
        command = COMMAND_EOP | COMMAND_IFCS | COMMAND_RS | (delayed ? COMMAND_IDE : 0);
        free = size - 1;
        stampNanos = new long[size];
    }

    int free() {
        return free;
    }

    int inFlight() {
        return size - 1 - free;
    }

    int nextToUse() {
        return nextToUse;
    }

    int nextToClean() {
        return nextToClean;
    }

    /** There must be a free slot. Status and DD are cleared with the second half; the device looks only after TDT. */
    void put(byte[] frame, int offset, int length, long nowNanos) {
        int index = nextToUse;
        stampNanos[index] = nowNanos;
        ram.write(bufferPa(index), frame, offset, length);
        long descriptor = descriptorPa(index);
        ram.writeLong(descriptor, lendBuffer(index, length, false));
        ram.writeLong(descriptor + LENGTH_COMMAND, length | command << 24);
        nextToUse = next(index);
        free--;
    }

    /** When the oldest outstanding frame was put into the ring. */
    long oldestNanos() {
        return stampNanos[nextToClean];
    }

    /** The status byte of the oldest outstanding descriptor. */
    int oldestStatus() {
        return ram.loadIntAcquire(descriptorPa(nextToClean) + STATUS) & 0xFF;
    }

    /** Whether the oldest descriptor that the device knows of is not done. */
    boolean waiting() {
        return nextToClean != published && (oldestStatus() & DD) == 0;
    }

    boolean unpublished() {
        return published != nextToUse;
    }

    /** @return the value for TDT */
    int publish() {
        published = nextToUse;
        return published;
    }

    /** Takes finished descriptors back, in ring order; at most one lap. */
    void reap() {
        while (nextToClean != published && (ram.loadIntAcquire(descriptorPa(nextToClean) + STATUS) & DD) != 0) {
            takeBuffer(nextToClean, 0);
            nextToClean = next(nextToClean);
            free++;
        }
    }
}

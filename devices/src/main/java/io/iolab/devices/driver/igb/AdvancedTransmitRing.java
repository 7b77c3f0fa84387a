package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverPlatform;

/** Advanced data descriptors, one a frame (82576 datasheet 7.2.2.3). Completion is DD in memory; one slot stays empty. */
final class AdvancedTransmitRing extends DescriptorRing {
    private static final int STATUS = 12;
    private static final int DD = 1;
    private static final int DTYP_DATA = 3 << 20;
    private static final int EOP = 1 << 24;
    private static final int IFCS = 1 << 25;
    private static final int RS = 1 << 27;
    private static final int DEXT = 1 << 29;
    private static final int PAYLEN_SHIFT = 14;

    private int published;
    private int free;

    AdvancedTransmitRing(DriverPlatform platform, int size) {
        super(platform, size);
        free = size - 1;
    }

    @Override
    void clear() {
        super.clear();
        published = 0;
        free = size - 1;
    }

    int free() {
        return free;
    }

    int inFlight() {
        return size - 1 - free;
    }

    /** There must be a free slot. */
    void put(byte[] frame, int offset, int length) {
        int index = nextToUse;
        ram.write(bufferPa(index), frame, offset, length);
        long descriptor = descriptorPa(index);
        ram.writeLong(descriptor, lendBuffer(index, length, false));
        ram.writeInt(descriptor + 8, length | DTYP_DATA | EOP | IFCS | RS | DEXT);
        ram.writeInt(descriptor + STATUS, length << PAYLEN_SHIFT);
        nextToUse = next(index);
        free--;
    }

    /** Whether the oldest descriptor that the device knows of is not done. */
    boolean waiting() {
        return nextToClean != published && !done();
    }

    private boolean done() {
        return (ram.loadIntAcquire(descriptorPa(nextToClean) + STATUS) & DD) != 0;
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
        while (nextToClean != published && done()) {
            takeBuffer(nextToClean, 0);
            nextToClean = next(nextToClean);
            free++;
        }
    }
}

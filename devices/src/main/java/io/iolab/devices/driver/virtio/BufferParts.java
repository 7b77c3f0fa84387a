package io.iolab.devices.driver.virtio;

import java.util.Arrays;

/**
 * The parts of one buffer, what the device reads before what it writes (virtio 1.2 section 2.7.4.2). It is filled, added to a
 * queue, which copies it, and cleared for the next buffer.
 */
final class BufferParts {
    private static final int USUAL_PARTS = 4;

    private long[] bus = new long[USUAL_PARTS];
    private int[] lengths = new int[USUAL_PARTS];
    private int readable;
    private int count;
    private long writableBytes;

    BufferParts clear() {
        readable = 0;
        count = 0;
        writableBytes = 0;
        return this;
    }

    /** A part that the device reads; before all that it writes. */
    BufferParts read(long address, int length) {
        if (readable != count) {
            throw new IllegalStateException("a readable part after a writable one");
        }
        append(address, length);
        readable++;
        return this;
    }

    /** A part that the device writes. */
    BufferParts write(long address, int length) {
        append(address, length);
        writableBytes += length;
        return this;
    }

    private void append(long address, int length) {
        if (count == bus.length) {
            bus = Arrays.copyOf(bus, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        bus[count] = address;
        lengths[count++] = length;
    }

    int count() {
        return count;
    }

    long bus(int part) {
        return bus[part];
    }

    int length(int part) {
        return lengths[part];
    }

    boolean writable(int part) {
        return part >= readable;
    }

    int writableBytes() {
        return (int) writableBytes;
    }
}

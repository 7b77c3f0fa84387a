package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import java.util.Arrays;

/** Where a ring of 16-byte descriptors and the 2 KiB buffers behind it live. Buffer {@code i} belongs to descriptor {@code i} for good. */
abstract class DescriptorRing {
    static final int BUFFER_SIZE = 2048;

    private static final int DESCRIPTOR_SIZE = 16;

    /** No address of a buffer. */
    private static final long NOT_LENT = -1;

    private final DriverPlatform platform;
    final Memory ram;
    final int size;
    int nextToUse;
    int nextToClean;

    private final long ringPa;
    private final long ringBus;
    private final long buffersPa;
    private final long[] bufferBus;

    DescriptorRing(DriverPlatform platform, int size) {
        this.platform = platform;
        this.ram = platform.ram();
        this.size = size;
        ringPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        ringBus = platform.mapShared(ringPa, (long) size * DESCRIPTOR_SIZE);
        buffersPa = platform.allocate((long) size * BUFFER_SIZE, AddressRange.PAGE_SIZE);
        bufferBus = new long[size];
        Arrays.fill(bufferBus, NOT_LENT);
    }

    final int bytes() {
        return size * DESCRIPTOR_SIZE;
    }

    final long busAddress() {
        return ringBus;
    }

    final long descriptorPa(int index) {
        return ringPa + (long) index * DESCRIPTOR_SIZE;
    }

    final long bufferPa(int index) {
        return buffersPa + (long) index * BUFFER_SIZE;
    }

    /** Lends a buffer to the device for one transfer. @return where the device finds it */
    final long lendBuffer(int index, int bytes, boolean fromDevice) {
        long bus = platform.mapTransfer(bufferPa(index), bytes, fromDevice);
        bufferBus[index] = bus;
        return bus;
    }

    /** Takes it back. */
    final void takeBuffer(int index, int written) {
        platform.unmapTransfer(bufferBus[index], written);
        bufferBus[index] = NOT_LENT;
    }

    final int next(int index) {
        return index + 1 == size ? 0 : index + 1;
    }

    /** As if nothing had ever been queued; the device must be off. */
    void clear() {
        nextToUse = 0;
        nextToClean = 0;
        for (int i = 0; i < size; i++) {
            ram.writeLong(descriptorPa(i), 0);
            ram.writeLong(descriptorPa(i) + 8, 0);
            if (bufferBus[i] != NOT_LENT) {
                takeBuffer(i, 0);
            }
        }
    }
}

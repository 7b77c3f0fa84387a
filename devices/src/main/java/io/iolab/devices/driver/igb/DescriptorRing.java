package io.iolab.devices.driver.igb;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/** Where a ring of 16-byte descriptors and the 2 KiB buffers behind it live. Buffer {@code i} belongs to descriptor {@code i} for good. */
abstract class DescriptorRing {
    static final int BUFFER_SIZE = 2048;

    private static final int DESCRIPTOR_SIZE = 16;

    final Memory ram;
    final int size;
    int nextToUse;
    int nextToClean;

    private final long ringPa;
    private final long ringBus;
    private final long buffersPa;
    private final long[] bufferBus;

    DescriptorRing(DriverPlatform platform, int size) {
        this.ram = platform.ram();
        this.size = size;
        ringPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        ringBus = platform.busAddress(ringPa);
        buffersPa = platform.allocate((long) size * BUFFER_SIZE, AddressRange.PAGE_SIZE);
        bufferBus = new long[size];
        for (int i = 0; i < size; i++) {
            bufferBus[i] = platform.busAddress(bufferPa(i));
        }
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

    final long bufferBus(int index) {
        return bufferBus[index];
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
        }
    }
}

package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/** Where a ring of 16-byte descriptors and the buffers behind it live. Buffer {@code i} belongs to descriptor {@code i} for good. */
abstract class DescriptorRing {
    static final int DESCRIPTOR_SIZE = 16;

    final Memory ram;
    final int size;
    final int bufferSize;
    private final long ringPa;
    private final long ringBus;
    private final long buffersPa;
    private final long[] bufferBus;

    DescriptorRing(DriverPlatform platform, int size, int bufferSize) {
        this.ram = platform.ram();
        this.size = size;
        this.bufferSize = bufferSize;
        ringPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        ringBus = platform.busAddress(ringPa);
        buffersPa = platform.allocate((long) size * bufferSize, AddressRange.PAGE_SIZE);
        bufferBus = new long[size];
        for (int i = 0; i < size; i++) {
            bufferBus[i] = platform.busAddress(bufferPa(i));
        }
    }

    final int bytes() {
        return size * DESCRIPTOR_SIZE;
    }

    /** What the device must be given as the ring's base. */
    final long busAddress() {
        return ringBus;
    }

    final long descriptorPa(int index) {
        return ringPa + (long) index * DESCRIPTOR_SIZE;
    }

    final long bufferPa(int index) {
        return buffersPa + (long) index * bufferSize;
    }

    final long bufferBus(int index) {
        return bufferBus[index];
    }

    final int next(int index) {
        return index + 1 == size ? 0 : index + 1;
    }
}

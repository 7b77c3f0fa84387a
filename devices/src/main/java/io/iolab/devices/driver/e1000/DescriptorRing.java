package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/** Where a ring of 16-byte descriptors and the buffers behind it live. Buffer {@code i} belongs to descriptor {@code i} for good. */
abstract class DescriptorRing {
    static final int DESCRIPTOR_SIZE = 16;

    final Memory ram;
    private final DriverPlatform platform;
    final int size;
    final int bufferSize;
    private final long ringPa;
    private final long ringBus;
    private final long buffersPa;
    private final long[] bufferBus;

    DescriptorRing(DriverPlatform platform, int size, int bufferSize) {
        this.platform = platform;
        this.ram = platform.ram();
        this.size = size;
        this.bufferSize = bufferSize;
        ringPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        ringBus = platform.mapShared(ringPa, (long) size * DESCRIPTOR_SIZE);
        buffersPa = platform.allocate((long) size * bufferSize, AddressRange.PAGE_SIZE);
        bufferBus = new long[size];
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

    /** Lends a buffer to the device for one transfer. @return where the device finds it */
    final long lendBuffer(int index, int bytes, boolean fromDevice) {
        long bus = platform.mapTransfer(bufferPa(index), bytes, fromDevice);
        bufferBus[index] = bus;
        return bus;
    }

    /** Takes it back. */
    final void takeBuffer(int index, int written) {
        platform.unmapTransfer(bufferBus[index], written);
    }

    final int next(int index) {
        return index + 1 == size ? 0 : index + 1;
    }
}

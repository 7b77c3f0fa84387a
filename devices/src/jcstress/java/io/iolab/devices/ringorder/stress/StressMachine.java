package io.iolab.devices.ringorder.stress;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;

/** RAM from a place on, each allocation in a cache line of its own, and nothing else. Kicks are counted by the queue. */
final class StressMachine implements DriverPlatform, CpuPort {
    private static final int LINE = 64;

    private final Memory ram;
    private long next;

    StressMachine(Memory ram, long from) {
        this.ram = ram;
        this.next = from;
    }

    @Override
    public CpuPort cpu() {
        return this;
    }

    @Override
    public Memory ram() {
        return ram;
    }

    @Override
    public Clock clock() {
        return System::nanoTime;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        long pa = next;
        next = AddressRange.alignUp(pa + bytes, LINE);
        return pa;
    }

    @Override
    public long busAddress(long pa) {
        return pa;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        throw new UnsupportedOperationException("there is no interrupt controller");
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        throw new UnsupportedOperationException("there is no interrupt controller");
    }

    @Override
    public void delayNanos(long nanos) {}

    @Override
    public void store(long pa, int width, long value) {}

    @Override
    public long load(long pa, int width) {
        return -1;
    }

    @Override
    public int in(int port, int width) {
        return -1;
    }

    @Override
    public void out(int port, int width, int value) {}
}

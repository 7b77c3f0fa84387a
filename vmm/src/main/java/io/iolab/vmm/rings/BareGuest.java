package io.iolab.vmm.rings;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;

/** As much of a machine as a driver of one queue needs: RAM, and one register, whose stores ring a bell. */
final class BareGuest implements DriverPlatform, CpuPort {
    private final Memory ram;
    private final Doorbell kicks;
    private long allocated;

    /** @param heap where allocations start */
    BareGuest(Memory ram, long heap, Doorbell kicks) {
        this.ram = ram;
        this.allocated = heap;
        this.kicks = kicks;
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
        long pa = AddressRange.alignUp(allocated, alignment);
        allocated = pa + bytes;
        return pa;
    }

    @Override
    public long busAddress(long pa) {
        return pa;
    }

    @Override
    public void store(long pa, int width, long value) {
        kicks.ring();
    }

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

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        throw new UnsupportedOperationException("interrupts ring the guest's bell");
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        throw new UnsupportedOperationException("interrupts ring the guest's bell");
    }

    @Override
    public void delayNanos(long nanos) {}
}

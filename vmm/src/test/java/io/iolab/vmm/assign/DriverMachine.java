package io.iolab.vmm.assign;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;
import java.util.ArrayList;
import java.util.List;

/** A system with drivers: a piece of memory, memory-mapped registers, and interrupts that wait until it looks. */
abstract class DriverMachine implements DriverPlatform, CpuPort {
    private static final int BOUND = 1000;

    private final Memory memory;
    private final long end;
    private final long busOffset;
    private long next;
    private final List<Runnable> due = new ArrayList<>();

    /** @param busOffset what devices add to addresses in {@code [base, base + size)} */
    DriverMachine(Memory memory, long base, long size, long busOffset) {
        this.memory = memory;
        this.next = base;
        this.end = base + size;
        this.busOffset = busOffset;
    }

    /** Lets the devices work and the others serve their interrupts; while that is going on, nothing. */
    abstract void others();

    final PciBus bus(ConfigAccess config, long mmio) {
        return new PciBus(
                this, config, new ResourceWindow("MMIO", mmio, 1 << 24), new ResourceWindow("I/O", 0xC000, 0x1000));
    }

    final void interrupt(InterruptHandler handler) {
        due.add(handler::interrupt);
    }

    final void serveInterrupts() {
        for (int i = 0; i < BOUND && !due.isEmpty(); i++) {
            due.removeFirst().run();
        }
    }

    @Override
    public CpuPort cpu() {
        return this;
    }

    @Override
    public Memory ram() {
        return memory;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        long at = next + alignment - 1 & -alignment;
        next = at + bytes;
        if (next > end) {
            throw new IllegalStateException("the memory is used up");
        }
        memory.fill(at, bytes, (byte) 0);
        return at;
    }

    @Override
    public long busAddress(long pa) {
        return pa + busOffset;
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        throw new IllegalStateException("no interrupt lines here");
    }

    @Override
    public abstract Clock clock();

    @Override
    public int in(int port, int width) {
        return -1;
    }

    @Override
    public void out(int port, int width, int value) {}
}

package io.iolab.devices.driver.igb;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.pci.EcamConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.igb.Igb82576;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A host with an 82576 at 00:04.0: one processor, RAM, ECAM, interrupts. Whoever waits lets the device work and the other drivers take
 * their interrupts.
 */
final class SriovMachine implements DriverPlatform, CpuPort, AutoCloseable {
    static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    static final int PHYSICAL = 4 << 3;

    private static final long ECAM = 0xB000_0000L;
    private static final long ECAM_SIZE = 0x1000_0000L;
    private static final int BARS = 6;
    private static final long MESSAGES = 0xFEE0_0000L;
    private static final int BOUND = 100_000;

    private final PhysicalMemory ram = PhysicalMemory.allocate(128L << 20);
    private final List<InterruptHandler> handlers = new ArrayList<>();
    private final List<Boolean> pending = new ArrayList<>();
    final ArrayDeque<byte[]> sent = new ArrayDeque<>();
    final Igb82576 device;
    /** Frames are taken and forgotten. */
    boolean discard;

    private AddressMap<Window> windows = new AddressMap<>();
    private long discarded;
    private long allocated = 0x10_0000;
    private long nanos;
    private boolean running;

    SriovMachine() {
        device = Igb82576.create(
                MAC, rid -> new DirectDma(ram, this::message), InterruptPin.UNCONNECTED, this::take, () -> nanos);
    }

    PciBus bus() {
        return new PciBus(
                this,
                new EcamConfigAccess(this, ECAM),
                new ResourceWindow("MMIO", 0xE000_0000L, 0x1000_0000L),
                new ResourceWindow("I/O", 0xC000, 0x1000));
    }

    private Delivery take(byte[] frame, int offset, int length) {
        if (discard) {
            discarded++;
        } else {
            sent.add(Arrays.copyOfRange(frame, offset, offset + length));
        }
        return Delivery.ACCEPTED;
    }

    long discarded() {
        return discarded;
    }

    private void message(long address, int data) {
        if (address != MESSAGES || data < 0 || data >= pending.size()) {
            throw new AssertionError("stray message " + Long.toHexString(address) + " " + data);
        }
        pending.set(data, true);
    }

    /** Runs handlers until no interrupt is left. @return whether one of them wants a poll */
    boolean serviceInterrupts() {
        boolean wanted = false;
        for (int round = 0; round < BOUND; round++) {
            int due = pending.indexOf(true);
            if (due < 0) {
                return wanted;
            }
            pending.set(due, false);
            wanted |= handlers.get(due).interrupt();
        }
        throw new AssertionError("interrupt storm");
    }

    void runDevices() {
        if (running) {
            return;
        }
        running = true;
        while ((device.workPending() || device.nextDeadlineNanos() <= nanos) && device.poll(64) > 0) {
            // Until nothing moves.
        }
        running = false;
    }

    void advance(long duration) {
        long end = nanos + duration;
        for (int round = 0; device.nextDeadlineNanos() <= end; round++) {
            if (round == BOUND) {
                throw new AssertionError("a deadline that never moves");
            }
            nanos = Math.max(nanos, device.nextDeadlineNanos());
            device.poll(64);
            runDevices();
        }
        nanos = end;
    }

    @Override
    public void delayNanos(long duration) {
        advance(duration);
        serviceInterrupts();
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
        return () -> nanos;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        allocated = (allocated + 64 + alignment - 1) & -alignment;
        long pa = allocated;
        allocated += bytes;
        return pa;
    }

    @Override
    public long busAddress(long pa) {
        return pa;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        handlers.add(handler);
        pending.add(false);
        return new MessageTarget(MESSAGES, handlers.size() - 1);
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        throw new AssertionError("no lines here");
    }

    private record Window(PciFunction function, int bar) {}

    /** What is decoded where, as configuration space says now. */
    private void decode() {
        windows = new AddressMap<>();
        for (int bar = 0; bar < BARS; bar++) {
            Bar shape = device.config().bar(bar);
            if (shape != null && shape.isMemory() && device.config().barDecodes(bar)) {
                windows.add(device.config().barAddress(bar), shape.size(), new Window(device, bar));
            }
        }
        int virtual = device.virtualMemoryEnabled() ? device.functions().size() - 1 : 0;
        for (int vf = 0; vf < virtual; vf++) {
            for (int bar = 0; bar < BARS; bar++) {
                Bar shape = device.virtualBar(bar);
                if (shape != null) {
                    Window window = new Window(device.functions().get(vf + 1), bar);
                    windows.add(device.virtualBarAddress(vf, bar), shape.size(), window);
                }
            }
        }
    }

    @Override
    public long load(long pa, int width) {
        if (pa >= ECAM && pa < ECAM + ECAM_SIZE) {
            PciFunction function = device.functionAt((int) (pa - ECAM >>> 12) - PHYSICAL);
            int value = function == null ? -1 : function.config().read((int) pa & 0xFFF, width);
            return width == 4 ? value & 0xFFFF_FFFFL : value & (1 << 8 * width) - 1;
        }
        AddressMap.Region<Window> region = windows.find(pa, width);
        return region == null
                ? -1L >>> 64 - 8 * width
                : region.target().function.readBar(region.target().bar, pa - region.base(), width);
    }

    @Override
    public void store(long pa, int width, long value) {
        if (pa >= ECAM && pa < ECAM + ECAM_SIZE) {
            PciFunction function = device.functionAt((int) (pa - ECAM >>> 12) - PHYSICAL);
            if (function != null) {
                function.config().write((int) pa & 0xFFF, width, (int) value);
                decode();
            }
        } else {
            AddressMap.Region<Window> region = windows.find(pa, width);
            if (region != null) {
                region.target().function.writeBar(region.target().bar, pa - region.base(), width, value);
            }
        }
        runDevices();
    }

    @Override
    public int in(int port, int width) {
        return -1;
    }

    @Override
    public void out(int port, int width, int value) {}

    @Override
    public void close() {
        ram.close();
    }
}

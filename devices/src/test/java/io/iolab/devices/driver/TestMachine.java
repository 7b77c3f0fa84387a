package io.iolab.devices.driver;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.pci.EcamConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PortConfigAccess;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A processor, RAM, a host bridge and some functions. Devices work inside of the store that gave them work, and when time
 * passes; interrupts are kept until {@link #serviceInterrupts}.
 */
final class TestMachine implements DriverPlatform, CpuPort, AutoCloseable {
    public static final long ECAM = 0xB000_0000L;
    public static final long MMIO = 0xE000_0000L;
    private static final long MMIO_SIZE = 0x1000_0000L;
    private static final int IO = 0xC000;
    private static final int IO_SIZE = 0x1000;
    private static final long RAM_SIZE = 64L << 20;
    /** Bus addresses differ from physical ones, as behind an IOMMU, and have an upper half. */
    static final long BUS_DISTANCE = 0x1_4000_0000L;

    private static final long HEAP = 0x10_0000;
    private static final long MESSAGES = 0xFEE0_0000L;
    private static final int LINES = 32;
    private static final int DEVICE_BURST = 64;
    /** More rounds than this in one step is a device or a driver that never comes to rest. */
    private static final int BOUND = 100_000;

    /** An access as it leaves the processor, before the device sees it. */
    @FunctionalInterface
    public interface StoreHook {
        void storing(String register, long value);
    }

    private final PhysicalMemory physical = PhysicalMemory.allocate(RAM_SIZE);
    private final HookedMemory ram = new HookedMemory(physical);
    private final DmaPort dma = new OffsetDma(new DirectDma(physical, this::message), BUS_DISTANCE);
    private final @Nullable PciFunction[] functions = new @Nullable PciFunction[0x10000];
    private final List<PciFunction> present = new ArrayList<>();
    private final List<InterruptHandler> handlers = new ArrayList<>();
    private final List<Boolean> pending = new ArrayList<>();
    private final Map<Integer, List<InterruptHandler>> lines = new HashMap<>();
    private final boolean[] asserted = new boolean[LINES];
    private final Map<String, Integer> accesses = new TreeMap<>();
    private final List<Integer> configWrites = new ArrayList<>();
    private boolean counting;
    private @Nullable StoreHook hook;
    private long allocated = HEAP;
    private long nanos;
    private int configAddress;
    private boolean running;
    private long interrupts;

    public DmaPort dma() {
        return dma;
    }

    /** The pin of the device with this number on bus 0, wired to the line of the same number. */
    public InterruptPin pin(int device) {
        return level -> asserted[device] = level;
    }

    /** Plugs a function in and writes its Interrupt Line register, as firmware does. */
    public void plug(int rid, PciFunction function) {
        functions[rid] = function;
        present.add(function);
        function.config().write(ConfigSpace.INTERRUPT_LINE, 1, rid >>> 3 & 0x1F);
    }

    public PciBus bus() {
        return new PciBus(this, new PortConfigAccess(this), mmioWindow(), ioWindow());
    }

    public PciBus ecamBus() {
        return new PciBus(this, new EcamConfigAccess(this, ECAM), mmioWindow(), ioWindow());
    }

    private static ResourceWindow mmioWindow() {
        return new ResourceWindow("MMIO", MMIO, MMIO_SIZE);
    }

    private static ResourceWindow ioWindow() {
        return new ResourceWindow("I/O", IO, IO_SIZE);
    }

    /** Starts counting accesses from zero. */
    public void countAccesses() {
        accesses.clear();
        counting = true;
    }

    /** Since {@link #countAccesses}, by "read " or "write " and register name, and "in " or "out " and port. */
    public Map<String, Integer> accesses() {
        counting = false;
        return accesses;
    }

    /** Where configuration space of some function was written, in this order. */
    public List<Integer> configWrites() {
        return configWrites;
    }

    public void onStore(@Nullable StoreHook action) {
        hook = action;
    }

    /** Runs before each ordered 16-bit store of a driver. */
    public void onOrderedStore(@Nullable Runnable action) {
        ram.onOrderedStore(action);
    }

    /** Interrupts taken so far. */
    public long interrupts() {
        return interrupts;
    }

    /** Runs handlers until no interrupt is left. @return whether one of them wants a poll */
    public boolean serviceInterrupts() {
        boolean wanted = false;
        for (int round = 0; round < BOUND; round++) {
            boolean idle = true;
            for (int i = 0; i < handlers.size(); i++) {
                if (pending.get(i)) {
                    pending.set(i, false);
                    idle = false;
                    interrupts++;
                    wanted |= handlers.get(i).interrupt();
                }
            }
            for (int line = 0; line < LINES; line++) {
                if (asserted[line]) {
                    idle = false;
                    interrupts++;
                    wanted |= lineInterrupt(line);
                }
            }
            if (idle) {
                return wanted;
            }
        }
        throw new AssertionError("interrupt storm");
    }

    private boolean lineInterrupt(int line) {
        boolean wanted = false;
        List<InterruptHandler> shared = lines.getOrDefault(line, List.of());
        if (shared.isEmpty()) {
            throw new AssertionError("line " + line + ": nobody cared");
        }
        for (int i = 0; i < shared.size(); i++) {
            wanted |= shared.get(i).interrupt();
        }
        return wanted;
    }

    /** Whether an interrupt waits. */
    public boolean interruptPending() {
        for (int i = 0; i < pending.size(); i++) {
            if (pending.get(i)) {
                return true;
            }
        }
        for (int line = 0; line < LINES; line++) {
            if (asserted[line]) {
                return true;
            }
        }
        return false;
    }

    /** Lets devices work until none can do more. */
    public void runDevices() {
        if (running) {
            return;
        }
        running = true;
        for (int i = 0; i < present.size(); i++) {
            PciFunction function = present.get(i);
            // Work that cannot move now, for want of a free wire, stays pending.
            while (function.workPending() || function.nextDeadlineNanos() <= nanos) {
                if (function.poll(DEVICE_BURST) == 0) {
                    break;
                }
            }
        }
        running = false;
    }

    private void message(long address, int data) {
        if (address != MESSAGES || data < 0 || data >= pending.size()) {
            throw new AssertionError("stray message " + Long.toHexString(address) + " " + data);
        }
        pending.set(data, true);
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
        // A gap, so that a ring that runs over its end is found out.
        allocated = (allocated + 64 + alignment - 1) & -alignment;
        long pa = allocated;
        allocated += bytes;
        return pa;
    }

    @Override
    public long busAddress(long pa) {
        return pa + BUS_DISTANCE;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        handlers.add(handler);
        pending.add(false);
        return new MessageTarget(MESSAGES, handlers.size() - 1);
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        lines.computeIfAbsent(line, l -> new ArrayList<>()).add(handler);
    }

    @Override
    public void delayNanos(long duration) {
        advance(duration);
    }

    /** Time passes; devices meet their deadlines one by one. */
    public void advance(long duration) {
        long end = nanos + duration;
        for (int round = 0; round < BOUND; round++) {
            long next = Long.MAX_VALUE;
            for (PciFunction function : present) {
                next = Math.min(next, function.nextDeadlineNanos());
            }
            if (next > end) {
                nanos = end;
                return;
            }
            nanos = Math.max(nanos, next);
            runDevices();
        }
        throw new AssertionError("a deadline that never moves");
    }

    @Override
    public long load(long pa, int width) {
        if (pa >= ECAM && pa < ECAM + 0x1000_0000L) {
            count("ecam read", "");
            int value = configRead((int) (pa - ECAM >>> 12), (int) pa & 0xFFF, width);
            return width == 4 ? value & 0xFFFF_FFFFL : value & (1 << 8 * width) - 1;
        }
        for (int i = 0; i < present.size(); i++) {
            PciFunction function = present.get(i);
            for (int index = 0; index < 6; index++) {
                Bar bar = function.config().bar(index);
                if (bar != null && bar.isMemory() && claims(function, index, bar, pa, width)) {
                    long offset = pa - function.config().barAddress(index);
                    if (counting) {
                        count("read ", function.registerName(index, offset));
                    }
                    return function.readBar(index, offset, width);
                }
            }
        }
        return width == 8 ? -1L : (1L << 8 * width) - 1;
    }

    @Override
    public void store(long pa, int width, long value) {
        if (pa >= ECAM && pa < ECAM + 0x1000_0000L) {
            configWrite((int) (pa - ECAM >>> 12), (int) pa & 0xFFF, width, (int) value);
            return;
        }
        for (int i = 0; i < present.size(); i++) {
            PciFunction function = present.get(i);
            for (int index = 0; index < 6; index++) {
                Bar bar = function.config().bar(index);
                if (bar != null && bar.isMemory() && claims(function, index, bar, pa, width)) {
                    storeBar(function, index, pa - function.config().barAddress(index), width, value);
                    return;
                }
            }
        }
    }

    private void storeBar(PciFunction function, int index, long offset, int width, long value) {
        if (counting) {
            count("write ", function.registerName(index, offset));
        }
        StoreHook action = hook;
        if (action != null) {
            action.storing(function.registerName(index, offset), value);
        }
        function.writeBar(index, offset, width, value);
        runDevices();
    }

    private static boolean claims(PciFunction function, int index, Bar bar, long address, int width) {
        long offset = address - function.config().barAddress(index);
        return offset >= 0 && offset + width <= bar.size() && function.config().barDecodes(index);
    }

    private void count(String kind, String name) {
        if (counting) {
            accesses.merge(kind + name, 1, Integer::sum);
        }
    }

    private int configRead(int rid, int offset, int width) {
        PciFunction function = functions[rid];
        return function == null ? -1 : function.config().read(offset, width);
    }

    private void configWrite(int rid, int offset, int width, int value) {
        PciFunction function = functions[rid];
        if (function != null) {
            configWrites.add(offset);
            function.config().write(offset, width, value);
            runDevices();
        }
    }

    @Override
    public int in(int port, int width) {
        count("in ", Integer.toHexString(port));
        if (port >= 0xCFC && port < 0xD00) {
            return configAddress >= 0
                    ? -1
                    : configRead(configAddress >>> 8 & 0xFFFF, configAddress & 0xFC | port & 3, width);
        }
        for (PciFunction function : present) {
            for (int index = 0; index < 6; index++) {
                Bar bar = function.config().bar(index);
                if (bar != null && !bar.isMemory() && claims(function, index, bar, port, width)) {
                    return (int)
                            function.readBar(index, port - function.config().barAddress(index), width);
                }
            }
        }
        return -1;
    }

    @Override
    public void out(int port, int width, int value) {
        count("out ", Integer.toHexString(port));
        if (port == 0xCF8) {
            configAddress = value;
        } else if (port >= 0xCFC && port < 0xD00 && configAddress < 0) {
            configWrite(configAddress >>> 8 & 0xFFFF, configAddress & 0xFC | port & 3, width, value);
        } else {
            for (PciFunction function : present) {
                for (int index = 0; index < 6; index++) {
                    Bar bar = function.config().bar(index);
                    if (bar != null && !bar.isMemory() && claims(function, index, bar, port, width)) {
                        function.writeBar(
                                index, port - function.config().barAddress(index), width, value & 0xFFFF_FFFFL);
                        runDevices();
                        return;
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        physical.close();
    }
}

package io.iolab.scenarios.attack;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.igb.IgbDriver;
import io.iolab.devices.driver.igb.IgbOptions;
import io.iolab.devices.driver.igb.IgbVfDriver;
import io.iolab.devices.driver.pci.EcamConfigAccess;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.pci.ResourceWindow;
import io.iolab.devices.driver.pci.VirtualFunctions;
import io.iolab.devices.igb.Igb82576;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.time.Clock;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.MapRights;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * An 82576 at 00:04.0 of an attacked host with two virtual functions, guest A's and guest B's, all three run by their drivers. The
 * drivers share one piece of memory, mapped 1:1: what is looked at here is the wire.
 */
final class SriovHost implements DriverPlatform, CpuPort {
    static final byte[] GUEST_A = {0x52, 0x54, 0x00, 0x00, 0x00, 0x0A};
    static final byte[] GUEST_B = {0x52, 0x54, 0x00, 0x00, 0x00, 0x0B};

    private static final byte[] PHYSICAL = {0x52, 0x54, 0x00, 0x00, 0x00, 0x01};
    private static final int RID = 4 << 3;
    private static final long ECAM = 0xB000_0000L;
    private static final long ECAM_BYTES = 0x1000_0000L;
    private static final long MESSAGES = 0xFEE0_0000L;
    private static final int FIRST_VECTOR = 0x40;
    private static final int ARENA_PAGES = 2048;
    private static final int RING = 64;
    private static final int BUDGET = 64;
    private static final int BOUND = 100_000;

    final List<byte[]> wire = new ArrayList<>();
    final Igb82576 device;
    final IgbDriver physical;
    final IgbVfDriver attacker;
    final IgbVfDriver victim;

    private final AttackedHost host;
    private final List<InterruptHandler> handlers = new ArrayList<>();
    private final ArrayDeque<Integer> due = new ArrayDeque<>();
    private final BitSet waiting = new BitSet();
    private final long arenaEnd;
    private long next;
    private long nanos;
    private boolean running;

    SriovHost(AttackedHost host) {
        this.host = host;
        MemoryRegion arena = host.region("the drivers' memory", ARENA_PAGES);
        host.memory.fill(arena.hpa(), arena.length(), (byte) 0);
        next = arena.hpa();
        arenaEnd = arena.hpa() + arena.length();
        host.processors.onMessage(this::arrived);
        device = Igb82576.create(
                PHYSICAL, offset -> host.unit.portFor(RID + offset), InterruptPin.UNCONNECTED, this::sent, () -> nanos);
        PciBus bus = new PciBus(
                this,
                new EcamConfigAccess(this, ECAM),
                new ResourceWindow("MMIO", 0xE000_0000L, 0x1000_0000L),
                new ResourceWindow("I/O", 0xC000, 0x1000));
        PciDevice function = bus.scan().getFirst();
        List<PciDevice> virtual = VirtualFunctions.enable(this, bus, function, 2, true);
        Domain domain = host.driver.createDomain();
        domain.map(arena.hpa(), arena.hpa(), arena.length(), MapRights.READ_WRITE);
        host.driver.attach(function.rid(), domain);
        virtual.forEach(vf -> host.driver.attach(vf.rid(), domain));
        physical = IgbDriver.create(
                this,
                function,
                IgbOptions.physical().unmoderated().withRings(RING, RING).withVirtualFunctions(2));
        physical.open();
        physical.setVirtualMac(0, GUEST_A);
        physical.setVirtualMac(1, GUEST_B);
        IgbOptions options = IgbOptions.virtual().unmoderated().withRings(RING, RING);
        attacker = IgbVfDriver.create(this, virtual.get(0), options);
        victim = IgbVfDriver.create(this, virtual.get(1), options);
        attacker.open();
        victim.open();
        settle();
    }

    /** A register of the physical function, for the host's administrator. */
    int register(int offset) {
        return load32(device.config().barAddress(0) + offset);
    }

    void setRegister(int offset, int value) {
        store32(device.config().barAddress(0) + offset, value);
    }

    /** Sends a frame and lets everybody work. */
    void send(NetDriver driver, byte[] frame) {
        if (!driver.queue(frame, 0, frame.length)) {
            throw new IllegalStateException("no room in the transmit ring");
        }
        driver.flush();
        settle();
    }

    private void settle() {
        runDevice();
        serviceInterrupts();
        for (NetDriver driver : List.of(physical, attacker, victim)) {
            for (int round = 0; round < BOUND && driver.poll(BUDGET, (frame, at, length) -> {}) == BUDGET; round++) {
                // Until it runs dry.
            }
        }
        serviceInterrupts();
    }

    private Delivery sent(byte[] frame, int offset, int length) {
        wire.add(Arrays.copyOfRange(frame, offset, offset + length));
        return Delivery.ACCEPTED;
    }

    private void arrived(int data) {
        int handler = data - FIRST_VECTOR;
        if (handler >= 0 && handler < handlers.size() && !waiting.get(handler)) {
            waiting.set(handler);
            due.add(handler);
        }
    }

    private void serviceInterrupts() {
        for (int round = 0; round < BOUND && !due.isEmpty(); round++) {
            int handler = due.remove();
            waiting.clear(handler);
            handlers.get(handler).interrupt();
        }
    }

    private void runDevice() {
        if (running) {
            return;
        }
        running = true;
        for (int round = 0; round < BOUND && (device.workPending() || device.nextDeadlineNanos() <= nanos); round++) {
            if (device.poll(BUDGET) == 0) {
                break;
            }
        }
        running = false;
    }

    @Override
    public void delayNanos(long duration) {
        long end = nanos + duration;
        for (int round = 0; round < BOUND && device.nextDeadlineNanos() <= end; round++) {
            nanos = Math.max(nanos, device.nextDeadlineNanos());
            device.poll(BUDGET);
            runDevice();
        }
        nanos = end;
        serviceInterrupts();
    }

    @Override
    public CpuPort cpu() {
        return this;
    }

    @Override
    public Memory ram() {
        return host.memory;
    }

    @Override
    public Clock clock() {
        return () -> nanos;
    }

    @Override
    public long allocate(long bytes, long alignment) {
        long hpa = next + alignment - 1 & -alignment;
        next = hpa + bytes;
        if (next > arenaEnd) {
            throw new IllegalStateException("the drivers' memory is used up");
        }
        return hpa;
    }

    @Override
    public long busAddress(long pa) {
        return pa;
    }

    @Override
    public MessageTarget allocateMessage(InterruptHandler handler) {
        handlers.add(handler);
        return new MessageTarget(MESSAGES, FIRST_VECTOR + handlers.size() - 1);
    }

    @Override
    public void attachLine(int line, InterruptHandler handler) {
        throw new IllegalStateException("no interrupt lines here");
    }

    private record Window(PciFunction function, int bar, long offset) {}

    private Window window(long pa, int width) {
        for (int bar = 0; bar < 6; bar++) {
            Bar shape = device.config().bar(bar);
            long offset = pa - device.config().barAddress(bar);
            if (shape != null
                    && shape.isMemory()
                    && device.config().barDecodes(bar)
                    && offset >= 0
                    && offset + width <= shape.size()) {
                return new Window(device, bar, offset);
            }
        }
        for (int vf = 0;
                device.virtualMemoryEnabled() && vf < device.functions().size() - 1;
                vf++) {
            for (int bar : new int[] {0, 3}) {
                long offset = pa - device.virtualBarAddress(vf, bar);
                if (offset >= 0 && offset + width <= 0x4000) {
                    return new Window(device.functions().get(vf + 1), bar, offset);
                }
            }
        }
        return new Window(device, -1, 0);
    }

    private static boolean isConfiguration(long pa) {
        return pa >= ECAM && pa < ECAM + ECAM_BYTES;
    }

    @Override
    public long load(long pa, int width) {
        if (isConfiguration(pa)) {
            PciFunction function = device.functionAt((int) (pa - ECAM >>> 12) - RID);
            long value = function == null ? -1 : function.config().read((int) pa & 0xFFF, width);
            return value & -1L >>> 64 - 8 * width;
        }
        Window window = window(pa, width);
        return window.bar < 0 ? -1L >>> 64 - 8 * width : window.function.readBar(window.bar, window.offset, width);
    }

    @Override
    public void store(long pa, int width, long value) {
        if (isConfiguration(pa)) {
            PciFunction function = device.functionAt((int) (pa - ECAM >>> 12) - RID);
            if (function != null) {
                function.config().write((int) pa & 0xFFF, width, (int) value);
            }
        } else {
            Window window = window(pa, width);
            if (window.bar >= 0) {
                window.function.writeBar(window.bar, window.offset, width, value);
            }
        }
        runDevice();
    }

    @Override
    public int in(int port, int width) {
        return -1;
    }

    @Override
    public void out(int port, int width, int value) {}
}

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
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.time.Clock;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.pci.BarTarget;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciHost;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * An 82576 at 01:00.0 of an attacked host with two virtual functions, guest A's and guest B's, all three run by their drivers. The
 * drivers share one piece of memory, mapped 1:1: what is looked at here is the wire.
 */
final class SriovHost implements DriverPlatform, CpuPort {
    static final byte[] GUEST_A = {0x52, 0x54, 0x00, 0x00, 0x00, 0x0A};
    static final byte[] GUEST_B = {0x52, 0x54, 0x00, 0x00, 0x00, 0x0B};

    private static final byte[] PHYSICAL = {0x52, 0x54, 0x00, 0x00, 0x00, 0x01};
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
    private final CpuPort cpu;
    private final PciHost pci;
    private final List<InterruptHandler> handlers = new ArrayList<>();
    private final ArrayDeque<Integer> due = new ArrayDeque<>();
    private final BitSet waiting = new BitSet();
    private final long arenaEnd;
    private long next;
    private long nanos;
    private boolean running;

    SriovHost(AttackedHost host) {
        this.host = host;
        cpu = host.reached(this);
        MemoryRegion arena = host.region("the drivers' memory", ARENA_PAGES);
        host.memory.fill(arena.hpa(), arena.length(), (byte) 0);
        next = arena.hpa();
        arenaEnd = arena.hpa() + arena.length();
        host.processors.onMessage(this::arrived);
        Bridge port = host.build.rootPort(1, 0, AccessControlServices.ISOLATION);
        device = host.build.physicalFunction(
                port,
                0,
                0,
                ports -> Igb82576.create(PHYSICAL, ports, InterruptPin.UNCONNECTED, this::sent, () -> this.nanos));
        host.start(true);
        pci = host.topology().host();
        PciBus bus = new PciBus(
                cpu,
                new EcamConfigAccess(cpu, PciHost.ECAM_BASE),
                new ResourceWindow("MMIO", 0xE000_0000L, 0x1000_0000L),
                new ResourceWindow("I/O", 0xC000, 0x1000));
        PciDevice function = bus.scan().getFirst();
        bus.forwardAlternativeRouting(port.rid());
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
        return cpu;
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

    @Override
    public long load(long pa, int width) {
        if (isConfiguration(pa)) {
            return pci.ecam().read(pa - PciHost.ECAM_BASE, width) & -1L >>> 64 - 8 * width;
        }
        BarTarget target = pci.findMemory(pa, width);
        return target == null
                ? -1L >>> 64 - 8 * width
                : target.function().readBar(target.bar(), target.offset(pa), width);
    }

    @Override
    public void store(long pa, int width, long value) {
        BarTarget target = pci.findMemory(pa, width);
        if (isConfiguration(pa)) {
            pci.ecam().write(pa - PciHost.ECAM_BASE, width, value);
        } else if (target != null) {
            target.function().writeBar(target.bar(), target.offset(pa), width, value);
        }
        runDevice();
    }

    private static boolean isConfiguration(long pa) {
        return pa >= PciHost.ECAM_BASE && pa < PciHost.ECAM_BASE + PciHost.ECAM_SIZE;
    }

    @Override
    public int in(int port, int width) {
        return -1;
    }

    @Override
    public void out(int port, int width, int value) {}
}

package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.time.Clock;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The bugs of one guest, as whoever builds it meets them: each port is asked for here before it is handed on. A guest without bugs
 * gets back what it gave.
 */
public final class GuestBugs {
    /** None. */
    public static final GuestBugs NONE = new GuestBugs(List.of());

    private final PluggedFunction function = new PluggedFunction();
    private final List<Defect> defects = new ArrayList<>();
    private final Map<Bug, Trigger> triggers = new EnumMap<>(Bug.class);

    private GuestBugs(List<Bug> bugs) {
        if (!bugs.isEmpty()) {
            SplitRings rings = new SplitRings(function);
            if (bugs.stream().anyMatch(bug -> bug.paths().contains(Path.VIRTIO))) {
                defects.add(rings);
            }
            for (Bug bug : bugs) {
                Trigger trigger = bug.trigger();
                triggers.put(bug, trigger);
                defects.add(bug.defect(function, rings, trigger));
            }
        }
    }

    /** Those of {@code all} that are this guest's. */
    public static GuestBugs of(List<Injection> all, String guest) {
        List<Bug> own = all.stream()
                .filter(injection -> injection.guest().equals(guest))
                .map(Injection::bug)
                .distinct()
                .toList();
        return own.isEmpty() ? NONE : new GuestBugs(own);
    }

    public boolean any() {
        return !defects.isEmpty();
    }

    /** Whether one of them has struck; from any thread. */
    public boolean struck(Bug bug) {
        Trigger trigger = triggers.get(bug);
        return trigger != null && trigger.struck();
    }

    /** @param nic as it is plugged into the guest's bus */
    public void plugged(PciFunction nic) {
        if (any()) {
            function.plug(nic);
        }
    }

    /** What the driver runs on. */
    public DriverPlatform platform(DriverPlatform platform) {
        if (!any()) {
            return platform;
        }
        CpuPort cpu = platform.cpu();
        Memory ram = platform.ram();
        for (Defect defect : defects) {
            cpu = defect.cpu(cpu);
            ram = defect.ram(ram);
        }
        return new Platform(platform, cpu, ram);
    }

    /** What the device reaches memory through. */
    public DmaPort dma(DmaPort port) {
        DmaPort wrapped = port;
        for (Defect defect : defects) {
            wrapped = defect.dma(wrapped);
        }
        return wrapped;
    }

    /** The device's interrupt line. */
    public InterruptPin pin(InterruptPin line) {
        InterruptPin wrapped = line;
        for (Defect defect : defects) {
            wrapped = defect.pin(wrapped);
        }
        return wrapped;
    }

    /** What the device transmits on. */
    public FramePort wire(FramePort port) {
        FramePort wrapped = port;
        for (Defect defect : defects) {
            wrapped = defect.wire(wrapped);
        }
        return wrapped;
    }

    /** How the host maps the guest's memory for its device. */
    public MapRights rights() {
        MapRights rights = MapRights.READ_WRITE;
        for (Defect defect : defects) {
            rights = defect.rights(rights);
        }
        return rights;
    }

    /** The kernel's services, and ports of its own. */
    private record Platform(DriverPlatform kernel, CpuPort cpu, Memory ram) implements DriverPlatform {
        @Override
        public Clock clock() {
            return kernel.clock();
        }

        @Override
        public long allocate(long bytes, long alignment) {
            return kernel.allocate(bytes, alignment);
        }

        @Override
        public long busAddress(long pa) {
            return kernel.busAddress(pa);
        }

        @Override
        public long mapShared(long pa, long bytes) {
            return kernel.mapShared(pa, bytes);
        }

        @Override
        public long mapTransfer(long pa, int bytes, boolean fromDevice) {
            return kernel.mapTransfer(pa, bytes, fromDevice);
        }

        @Override
        public void unmapTransfer(long busAddress, int written) {
            kernel.unmapTransfer(busAddress, written);
        }

        @Override
        public MessageTarget allocateMessage(InterruptHandler handler) {
            return kernel.allocateMessage(handler);
        }

        @Override
        public void attachLine(int line, InterruptHandler handler) {
            kernel.attachLine(line, handler);
        }

        @Override
        public void delayNanos(long nanos) {
            kernel.delayNanos(nanos);
        }
    }
}

package io.iolab.vmm.viommu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.memory.GuestMemory;
import io.iolab.vmm.memory.HostFrames;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host with one physical unit, a guest with a virtual one and a driver for it, and one assigned function: as much of a machine as it
 * takes to see what a mapping costs.
 */
final class ViommuMachine implements AutoCloseable {
    /** Of the windows of both units, in either address space. */
    static final long BASE = 0xFED9_0000L;

    /** The function, 00:04.0 on the host and 00:02.0 in the guest. */
    static final int RID = 4 << 3;

    static final int GUEST_RID = 2 << 3;

    /** Address of the host's fault event. */
    private static final long FAULT_EVENT = 0xFEE0_0000L;

    private static final long HOST_BYTES = 64 << 20;
    private static final long GUEST_BYTES = 16 << 20;
    /** The guest's tables come from here up; below is what it maps. */
    private static final long GUEST_TABLES = 8 << 20;

    private final PhysicalMemory hostMemory = PhysicalMemory.allocate(HOST_BYTES);
    private final GuestMemory guestMemory;
    private final RemappingUnit physical;
    private final VirtualUnit virtual;
    private final GuestLedger ledger = new GuestLedger("guest", Path.PASSTHROUGH);
    private final GuestDriver driver;
    private final GuestTranslation translation;
    private final CpuPort guestCpu;
    private final FrameSource guestFrames;
    private @Nullable FirstLevelGuest firstLevelGuest;

    private final IommuDriver host;
    private final List<FaultReport> hostFaults = new ArrayList<>();
    private final List<Integer> guestMessages = new ArrayList<>();

    /** What both kinds of guest drivers do. */
    interface GuestDriver {
        void map(long iova, long gpa, long length);

        void unmap(long iova, long length);
    }

    ViommuMachine(ViommuMode mode, CostProfile profile) {
        HostFrames frames = new HostFrames(hostMemory);
        guestMemory = new GuestMemory(frames, GUEST_BYTES);
        FrameSource hostFrames = new Frames(frames);
        RemappingOptions.Builder hostUnit = RemappingOptions.builder();
        mode.physicalUnit(hostUnit);
        physical = new RemappingUnit(hostUnit.build(), hostMemory, this::faultEvent);
        CpuPort hostCpu = new HostCpu(physical.registers());
        GuestRam ram = new GuestRam(guestMemory);
        host = new IommuDriver(hostCpu, BASE, hostMemory, hostFrames, mode.hostTables());
        host.enable();
        translation = mode.translation(host, ram, GUEST_BYTES, guestMemory);
        translation.assign(RID, GUEST_RID);
        virtual =
                new VirtualUnit(mode.guestUnit(), guestMemory, (address, data) -> guestMessages.add(data), translation);
        host.configureFaultEvent(FAULT_EVENT, 0);
        guestCpu = new TrappedUnit(virtual, BASE, ledger, profile);
        guestFrames = new BumpFrames(guestMemory);
        driver = mode == ViommuMode.NESTED ? nestedDriver(guestCpu, guestFrames) : shadowDriver(guestCpu, guestFrames);
    }

    private GuestDriver nestedDriver(CpuPort cpu, FrameSource frames) {
        FirstLevelGuest guest = new FirstLevelGuest(cpu, BASE, guestMemory, frames);
        guest.enable();
        guest.attach(GUEST_RID);
        firstLevelGuest = guest;
        return new GuestDriver() {
            @Override
            public void map(long iova, long gpa, long length) {
                guest.map(iova, gpa, length);
            }

            @Override
            public void unmap(long iova, long length) {
                guest.unmap(iova, length);
            }
        };
    }

    private GuestDriver shadowDriver(CpuPort cpu, FrameSource frames) {
        IommuDriver guest = new IommuDriver(cpu, BASE, guestMemory, frames);
        guest.enable();
        Domain domain = guest.createDomain();
        guest.attach(GUEST_RID, domain);
        return new GuestDriver() {
            @Override
            public void map(long iova, long gpa, long length) {
                domain.map(iova, gpa, length, MapRights.READ_WRITE);
            }

            @Override
            public void unmap(long iova, long length) {
                domain.unmap(iova, length);
            }
        };
    }

    /** The host hears its unit: what is the guest's goes to the guest's unit. */
    private void faultEvent(long address, int data) {
        host.handleFaults(report -> {
            if (!virtual.fault(report)) {
                hostFaults.add(report);
            }
        });
    }

    /** Faults that stayed with the host. */
    List<FaultReport> hostFaults() {
        return hostFaults;
    }

    /** Data of the messages that the guest's unit has sent. */
    List<Integer> guestMessages() {
        return guestMessages;
    }

    IommuDriver host() {
        return host;
    }

    /** The guest's processor, whose every access of the unit exits. */
    CpuPort guestCpu() {
        return guestCpu;
    }

    GuestDriver driver() {
        return driver;
    }

    /** The guest's driver of this PASID, with a table of its own; nested only. */
    FirstLevelGuest driverOfPasid(int pasid) {
        FirstLevelGuest guest = firstLevelGuest;
        if (guest == null) {
            throw new IllegalStateException("no PASIDs in legacy mode");
        }
        return guest.forPasid(pasid, guestMemory, guestFrames);
    }

    GuestMemory guestMemory() {
        return guestMemory;
    }

    GuestLedger ledger() {
        return ledger;
    }

    VirtualUnit unit() {
        return virtual;
    }

    GuestTranslation translation() {
        return translation;
    }

    RemappingUnit physicalUnit() {
        return physical;
    }

    /** The assigned function's way to memory. */
    DmaPort function() {
        return physical.portFor(RID);
    }

    /** The same under a PASID. */
    DmaPort function(int pasid) {
        return physical.translationPortFor(RID).withPasid(pasid, 0);
    }

    /** Everything counted so far. */
    ViommuResult.Share figures() {
        long picos = 0;
        for (ExitCounter counter : ledger.exits().counters()) {
            picos += counter.picos();
        }
        long invalidated = 0;
        for (InvalidationKind kind : InvalidationKind.values()) {
            invalidated +=
                    kind == InvalidationKind.WAIT ? 0 : physical.counters().invalidations(kind);
        }
        long walks = translation.hostWork().walks();
        long read = translation instanceof ShadowTranslation shadow
                ? shadow.entriesRead()
                : ((NestedTranslation) translation).entriesRead();
        return new ViommuResult.Share(ledger.exits().total(), picos, virtual.invalidations(), walks, read, invalidated);
    }

    @Override
    public void close() {
        guestMemory.close();
        hostMemory.close();
    }

    private record Frames(HostFrames frames) implements FrameSource {
        @Override
        public long allocatePage() {
            return frames.allocate();
        }

        @Override
        public void freePage(long hpa) {
            frames.free(hpa);
        }
    }

    /** A guest's frames; what it gives back it does not use again. */
    private static final class BumpFrames implements FrameSource {
        private final Memory memory;
        private long next = GUEST_TABLES;

        BumpFrames(Memory memory) {
            this.memory = memory;
        }

        @Override
        public long allocatePage() {
            long gpa = next;
            if (!memory.contains(gpa, AddressRange.PAGE_SIZE)) {
                throw new IllegalStateException("the guest has no frame left for tables");
            }
            next += AddressRange.PAGE_SIZE;
            return gpa;
        }

        @Override
        public void freePage(long gpa) {}
    }

    /** The host's processor: one window. */
    private record HostCpu(MmioHandler registers) implements CpuPort {
        @Override
        public long load(long hpa, int width) {
            return registers.read(hpa - BASE, width);
        }

        @Override
        public void store(long hpa, int width, long value) {
            registers.write(hpa - BASE, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}

package io.iolab.vmm;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SriovFunction;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.assign.Errno;
import io.iolab.vmm.assign.HostInterrupts;
import io.iolab.vmm.assign.UserMemory;
import io.iolab.vmm.assign.VfioContainer;
import io.iolab.vmm.assign.VfioDevice;
import io.iolab.vmm.assign.VfioGroup;
import io.iolab.vmm.assign.VfioHost;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciTree;
import io.iolab.vmm.groups.Quirks;
import io.iolab.vmm.memory.GuestMemory;
import io.iolab.vmm.memory.HostFrames;
import io.iolab.vmm.pci.PciTopology;
import io.iolab.vmm.pci.RootComplex;
import io.iolab.vmm.viommu.GuestTranslation;
import io.iolab.vmm.viommu.ViommuMode;
import io.iolab.vmm.viommu.VirtualUnit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The machine under everything: one physical memory, one remapping unit with the driver that programs it by registers and
 * memory, and the interrupt vectors where physical devices are heard.
 */
final class Host implements AutoCloseable {
    /** Where QEMU and the boards it models put the unit's registers. */
    private static final long IOMMU_BASE = 0xFED9_0000L;

    private static final int IOMMU_WINDOW = 4096;

    /** Where the unit's fault event is written, with a vector below those that are given to devices. */
    private static final long FAULT_EVENT = 0xFEE0_0000L;

    private static final int FAULT_EVENT_DATA = 0x20;

    /** Device number on bus 0. */
    private static final int ROOT_PORT = 1;

    /** Distinct faults kept; a device that faults on ever new pages must not fill the heap. */
    private static final int MAX_FAULT_KINDS = 1024;

    private final PhysicalMemory memory;
    private final HostFrames frames;
    private final HostInterrupts interrupts = new HostInterrupts();
    private final RemappingUnit iommu;
    private final IommuDriver driver;
    private final Map<FaultReport, Long> faults = new LinkedHashMap<>();
    private final ReentrantLock collecting = new ReentrantLock();
    private final List<VirtualUnit> guestUnits = new CopyOnWriteArrayList<>();
    /** Functions on bus 0 by requester id. */
    private final Map<Integer, PciFunction> functions = new ConcurrentHashMap<>();
    /** What is behind a root port; null for nothing. */
    private volatile @Nullable PciTopology topology;

    private final RemappingOptions iommuOptions;
    private final VfioHost vfio;

    /**
     * @param size bytes of physical memory
     * @param remapInterrupts whether the remapping unit offers interrupt remapping and posting and the host uses it
     * @param deviceTlbs whether it offers address translation services, and the host uses them for functions that have them
     * @param nesting whether it offers nested translation, and the host's tables are those that guests' can be nested on
     */
    Host(long size, Optional<Path> file, boolean remapInterrupts, boolean deviceTlbs, boolean nesting)
            throws IOException {
        memory = file.isPresent() ? PhysicalMemory.map(file.get(), size) : PhysicalMemory.allocate(size);
        frames = new HostFrames(memory);
        ViommuMode tables = nesting ? ViommuMode.NESTED : ViommuMode.SHADOW_QUEUE;
        RemappingOptions.Builder offered = RemappingOptions.builder()
                .interruptRemapping(remapInterrupts)
                .postedInterrupts(remapInterrupts)
                .deviceTlb(deviceTlbs);
        tables.physicalUnit(offered);
        iommuOptions = offered.build();
        iommu = new RemappingUnit(iommuOptions, memory, this::message);
        AddressMap<MmioHandler> bus = new AddressMap<>();
        bus.add(IOMMU_BASE, IOMMU_WINDOW, iommu.registers());
        driver =
                new IommuDriver(new RegisterBus(bus), IOMMU_BASE, memory, new TableFrames(frames), tables.hostTables());
        driver.enable();
        if (remapInterrupts) {
            interrupts.remapThrough(driver.enableInterruptRemapping(false));
        }
        ConfigAccess config = new PhysicalConfig();
        vfio = new VfioHost(
                () -> IommuGroups.of(PciTree.scan(config), Quirks.NONE),
                driver,
                interrupts,
                config,
                this::function,
                List.of());
    }

    /** The unit's own event is served where it arises; every other message goes to the vectors. */
    private void message(long address, int data) {
        if (address == FAULT_EVENT && data == FAULT_EVENT_DATA) {
            // Whoever is collecting already takes these too; to wait for him here, under the unit's lock, could be for
            // ever.
            if (collecting.tryLock()) {
                try {
                    collectFaults();
                } finally {
                    collecting.unlock();
                }
            }
        } else {
            interrupts.message(address, data);
        }
    }

    /** From now on faults of a guest's functions are offered to the unit that it sees, as they arise. */
    void report(VirtualUnit unit) {
        synchronized (driver) {
            guestUnits.add(unit);
            driver.configureFaultEvent(FAULT_EVENT, FAULT_EVENT_DATA);
        }
    }

    /** The driver of the unit; whoever uses it while guests run holds its lock. */
    IommuDriver driver() {
        return driver;
    }

    private @Nullable PciFunction function(int rid) {
        PciFunction own = functions.get(rid);
        PciTopology hierarchy = topology;
        return own == null && hierarchy != null ? hierarchy.host().function(rid) : own;
    }

    /**
     * Plugs a physical function with virtual ones in behind a root port, 00:01.0, which isolates what is behind it and forwards ARI; its
     * buses are numbered and its BARs placed. To be done once.
     *
     * @param make as {@link PciTopology.Builder#physicalFunction} wants it
     * @return the hierarchy, whose only endpoint it is
     */
    <F extends SriovFunction> PciTopology plugBehindPort(Function<IntFunction<DmaPort>, F> make) {
        if (topology != null) {
            throw new IllegalStateException("the root port has its device");
        }
        PciTopology.Builder build = new PciTopology.Builder(RootComplex.of(iommu));
        build.physicalFunction(build.rootPort(ROOT_PORT, 0, AccessControlServices.ISOLATION), 0, 0, make);
        PciTopology built = build.build();
        built.start();
        topology = built;
        ConfigAccess config = built.host().configAccess();
        PciTree.scan(config).enableAccessControl(false);
        return built;
    }

    /**
     * Memory for a driver of the host's own, mapped for its device at the addresses that it has.
     *
     * @param rid the device's requester id
     * @return where {@link AddressRange#LARGE_PAGE_SIZE} bytes begin
     */
    long driverMemory(int rid) {
        long hpa = frames.allocateLarge();
        Domain domain = driver.createDomain();
        domain.map(hpa, hpa, AddressRange.LARGE_PAGE_SIZE, MapRights.READ_WRITE);
        driver.attach(rid, domain);
        return hpa;
    }

    /** What the remapping unit offers. */
    RemappingOptions iommuOptions() {
        return iommuOptions;
    }

    PhysicalMemory memory() {
        return memory;
    }

    HostFrames frames() {
        return frames;
    }

    HostInterrupts interrupts() {
        return interrupts;
    }

    VfioHost vfio() {
        return vfio;
    }

    RemappingUnit iommu() {
        return iommu;
    }

    /**
     * Plugs a physical function into the host and assigns it: its group gets a container, and the container the guest's memory at guest
     * physical addresses.
     *
     * @param mapped false leaves the container empty
     * @param rights of the device to that memory
     * @throws IllegalStateException if the function cannot be assigned
     */
    VfioDevice assign(int rid, PciFunction function, GuestMemory guest, boolean mapped, MapRights rights) {
        functions.put(rid, function);
        return assign(rid, guest, mapped, rights);
    }

    /** The same for a function that is plugged in already. */
    VfioDevice assign(int rid, GuestMemory guest, boolean mapped, MapRights rights) {
        VfioContainer container = vfio.openContainer();
        VfioGroup group = open(rid, container, VfioContainer.Extension.TYPE1V2);
        if (mapped) {
            UserMemory ram = (vaddr, size, consumer) -> guest.forEachRun(consumer::run);
            require(container.mapDma(ram, 0, 0, guest.size(), rights));
        }
        return group.openDevice("0000:" + RequesterId.format(rid)).orElseThrow();
    }

    /**
     * Plugs a physical function in and assigns it behind a unit that the guest sees: what the guest maps there is mapped in the container.
     *
     * @param guestRid as the guest knows it
     */
    VfioDevice assign(int rid, PciFunction function, int guestRid, GuestTranslation translation) {
        functions.put(rid, function);
        return assign(rid, guestRid, translation);
    }

    /** The same for a function that is plugged in already. */
    VfioDevice assign(int rid, int guestRid, GuestTranslation translation) {
        VfioContainer container = vfio.openContainer();
        VfioGroup group = open(rid, container, translation.containerType());
        translation.assign(rid, guestRid, container);
        return group.openDevice("0000:" + RequesterId.format(rid)).orElseThrow();
    }

    /** The function's group, put into a container of its own. */
    private VfioGroup open(int rid, VfioContainer container, VfioContainer.Extension type) {
        require(vfio.bind(rid, VfioHost.VFIO_DRIVER));
        VfioGroup group = vfio.openGroup(vfio.groupNumber(rid)).orElseThrow();
        require(group.setContainer(container));
        require(container.setIommu(type));
        return group;
    }

    private static void require(Errno errno) {
        if (errno != Errno.OK) {
            throw new IllegalStateException("assignment: " + errno);
        }
    }

    /** Reads the unit's fault records, clears them, and adds them to what was seen before; in order of appearance. */
    Map<FaultReport, Long> faults() {
        collecting.lock();
        try {
            collectFaults();
            return java.util.Collections.unmodifiableMap(new LinkedHashMap<>(faults));
        } finally {
            collecting.unlock();
        }
    }

    /** What a guest's own tables refused is the guest's to hear of. */
    private void collectFaults() {
        driver.handleFaults(report -> {
            boolean guests = guestUnits.stream().anyMatch(unit -> unit.fault(report));
            if (!guests && (faults.size() < MAX_FAULT_KINDS || faults.containsKey(report))) {
                faults.merge(report, 1L, Long::sum);
            }
        });
    }

    @Override
    public void close() {
        memory.close();
    }

    private record TableFrames(HostFrames frames) implements FrameSource {
        @Override
        public long allocatePage() {
            return frames.allocate();
        }

        @Override
        public void freePage(long hpa) {
            frames.free(hpa);
        }
    }

    /** Configuration space of what is plugged in. */
    private final class PhysicalConfig implements ConfigAccess {
        @Override
        public int read(int rid, int offset, int width) {
            PciFunction function = function(rid);
            return function == null ? -1 >>> 32 - 8 * width : function.config().read(offset, width);
        }

        @Override
        public void write(int rid, int offset, int width, int value) {
            PciFunction function = function(rid);
            if (function != null) {
                function.config().write(offset, width, value);
            }
        }
    }

    /** The host's own processor, as far as its drivers need one: register windows, no ports. */
    private record RegisterBus(AddressMap<MmioHandler> windows) implements CpuPort {
        @Override
        public long load(long hpa, int width) {
            AddressMap.Region<MmioHandler> region = windows.find(hpa, width);
            return region == null ? -1L >>> 64 - 8 * width : region.target().read(hpa - region.base(), width);
        }

        @Override
        public void store(long hpa, int width, long value) {
            AddressMap.Region<MmioHandler> region = windows.find(hpa, width);
            if (region != null) {
                region.target().write(hpa - region.base(), width, value);
            }
        }

        @Override
        public int in(int port, int width) {
            return -1 >>> 32 - 8 * width;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}

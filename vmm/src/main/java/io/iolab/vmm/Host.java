package io.iolab.vmm;

import io.iolab.devices.bus.AddressMap;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.assign.HostInterrupts;
import io.iolab.vmm.memory.GuestMemory;
import io.iolab.vmm.memory.HostFrames;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The machine under everything: one physical memory, one remapping unit with the driver that programs it by registers and
 * memory, and the interrupt vectors where physical devices are heard.
 */
final class Host implements AutoCloseable {
    /** Where QEMU and the boards it models put the unit's registers. */
    private static final long IOMMU_BASE = 0xFED9_0000L;

    private static final int IOMMU_WINDOW = 4096;
    /** Distinct faults kept; a device that faults on ever new pages must not fill the heap. */
    private static final int MAX_FAULT_KINDS = 1024;

    private final PhysicalMemory memory;
    private final HostFrames frames;
    private final HostInterrupts interrupts = new HostInterrupts();
    private final RemappingUnit iommu;
    private final IommuDriver driver;
    private final Map<FaultReport, Long> faults = new LinkedHashMap<>();

    /** @param size bytes of physical memory */
    Host(long size, Optional<Path> file) throws IOException {
        memory = file.isPresent() ? PhysicalMemory.map(file.get(), size) : PhysicalMemory.allocate(size);
        frames = new HostFrames(memory);
        iommu = new RemappingUnit(RemappingOptions.defaults(), memory, interrupts);
        AddressMap<MmioHandler> bus = new AddressMap<>();
        bus.add(IOMMU_BASE, IOMMU_WINDOW, iommu.registers());
        driver = new IommuDriver(new RegisterBus(bus), IOMMU_BASE, memory, new FrameSource() {
            @Override
            public long allocatePage() {
                return frames.allocate();
            }

            @Override
            public void freePage(long hpa) {
                frames.free(hpa);
            }
        });
        driver.enable();
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

    RemappingUnit iommu() {
        return iommu;
    }

    /**
     * Gives a device a domain of its own, with the guest's memory in it at guest physical addresses.
     *
     * @param mapped false leaves the domain empty
     * @param rights of the device to that memory
     */
    void assign(int rid, GuestMemory guest, boolean mapped, MapRights rights) {
        Domain domain = driver.createDomain();
        if (mapped) {
            guest.forEachRun((gpa, hpa, length) -> domain.map(gpa, hpa, length, rights));
        }
        driver.attach(rid, domain);
    }

    /** Reads the unit's fault records, clears them, and adds them to what was seen before; in order of appearance. */
    Map<FaultReport, Long> faults() {
        driver.handleFaults(report -> {
            if (faults.size() < MAX_FAULT_KINDS || faults.containsKey(report)) {
                faults.merge(report, 1L, Long::sum);
            }
        });
        return java.util.Collections.unmodifiableMap(new LinkedHashMap<>(faults));
    }

    @Override
    public void close() {
        memory.close();
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

package io.iolab.vmm.assign;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.TableMode;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciTree;
import io.iolab.vmm.groups.Quirks;
import io.iolab.vmm.pci.PciTopology;
import io.iolab.vmm.pci.RootComplex;
import io.iolab.vmm.vcpu.IoApic;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A host with a remapping unit that is on, a PCI hierarchy behind it, and VFIO. Pages from 1 MiB on are the tables'. */
final class AssignmentBench implements AutoCloseable {
    private static final long UNIT = 0xFED9_0000L;
    private static final long TABLES = 1 << 20;
    /** The I/O APIC's source id. */
    static final int IO_APIC = 0xF0F8;

    final PhysicalMemory memory = PhysicalMemory.allocate(8 << 20);
    final HostInterrupts interrupts = new HostInterrupts();
    final RemappingUnit unit;
    final PciTopology.Builder build;
    final IommuDriver driver;
    private @Nullable PciTopology topology;
    private @Nullable VfioHost vfio;
    private long nextFrame = TABLES;

    AssignmentBench() {
        this(RemappingOptions.defaults(), TableMode.LEGACY);
    }

    /** With interrupt remapping if the unit offers it. */
    AssignmentBench(RemappingOptions options, TableMode mode) {
        unit = new RemappingUnit(options, memory, interrupts);
        IoApic ioApic = IoApic.before(unit.interruptPortFor(IO_APIC));
        build = new PciTopology.Builder(RootComplex.of(unit), false, ioApic::pin);
        driver = new IommuDriver(
                new Registers(),
                UNIT,
                memory,
                new FrameSource() {
                    @Override
                    public long allocatePage() {
                        long hpa = nextFrame;
                        nextFrame += 4096;
                        for (int i = 0; i < 4096; i += 8) {
                            memory.writeLong(hpa + i, 0);
                        }
                        return hpa;
                    }

                    @Override
                    public void freePage(long hpa) {}
                },
                mode);
        driver.enable();
        if (driver.supportsInterruptRemapping()) {
            interrupts.remapThrough(driver.enableInterruptRemapping(false));
        }
        interrupts.linesThrough(ioApic, IO_APIC);
    }

    VfioHost start(ReservedRegion... reserved) {
        PciTopology built = build.build();
        built.start();
        topology = built;
        ConfigAccess config = built.host().configAccess();
        PciTree.scan(config).enableAccessControl(false);
        vfio = new VfioHost(
                () -> IommuGroups.of(PciTree.scan(config), Quirks.NONE),
                driver,
                interrupts,
                config,
                built.host()::function,
                List.of(reserved));
        return vfio;
    }

    PciTopology topology() {
        return Objects.requireNonNull(topology);
    }

    @Override
    public void close() {
        memory.close();
    }

    private final class Registers implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return unit.registers().read(pa - UNIT, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            unit.registers().write(pa - UNIT, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}

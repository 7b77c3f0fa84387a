package io.iolab.vmm.assign;

import static io.iolab.vmm.assign.VfioContainer.Extension.TYPE1V2;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciBridge;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Fact sheet sections 9.1 to 9.3 and 9.5: containers, groups, devices, and the life cycle. */
@DisplayName("VFIO")
class VfioTest {
    private static final String FIRST = "0000:02:00.0";
    /** The program's memory is host memory from 0 on. */
    private static final UserMemory MEMORY = (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size);

    private final AssignmentBench bench = new AssignmentBench();
    private final Bridge empty = bench.build.rootPort(1, 0, AccessControlServices.ISOLATION);
    private final Bridge root = bench.build.rootPort(2, 0, AccessControlServices.ISOLATION);
    private final ProbeFunction first =
            bench.build.function(root, 0, 0, dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
    private final ProbeFunction second =
            bench.build.function(root, 0, 1, dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
    private final Bridge conventional = bench.build.pciBridge(
            bench.build.rootPort(3, 0, AccessControlServices.ISOLATION), PciBridge.Alias.SECONDARY_BUS);
    private final ProbeFunction old =
            bench.build.function(conventional, 3, 0, dma -> new ProbeFunction(Kind.CONVENTIONAL, 0, dma));
    private final VfioHost vfio = bench.start(new ReservedRegion(0x0418, 0x7000, 0x7FFF));

    @AfterEach
    void close() {
        bench.close();
    }

    private VfioGroup group() {
        vfio.bind(0x0200, VfioHost.VFIO_DRIVER);
        vfio.bind(0x0201, VfioHost.VFIO_DRIVER);
        return vfio.openGroup(vfio.groupNumber(0x0200)).orElseThrow();
    }

    private VfioContainer container(VfioGroup group) {
        VfioContainer container = vfio.openContainer();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.OK);
        return container;
    }

    private static Errno map(VfioContainer container, long vaddr, long iova, long size) {
        return container.mapDma(MEMORY, vaddr, iova, size, MapRights.READ_WRITE);
    }

    private static void busMaster(VfioDevice device) {
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
    }

    private static DmaFault read(ProbeFunction function, long iova) {
        return function.dma().read(iova, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    @Test
    @DisplayName("9.2: viable with every function bound to VFIO or to nothing")
    void shouldBeViableOnlyIfNobodyElseHasAMember() {
        vfio.bind(0x0200, VfioHost.VFIO_DRIVER);
        vfio.bind(0x0201, "e1000e");
        VfioGroup group = vfio.openGroup(vfio.groupNumber(0x0200)).orElseThrow();
        assertThat(group.status()).isEqualTo(new VfioGroup.Status(false, false));
        assertThat(group.obstacles()).containsExactly("02:00.1 is bound to e1000e");
        assertThat(group.setContainer(vfio.openContainer())).isEqualTo(Errno.EPERM);
        vfio.unbind(0x0201);
        assertThat(group.status()).isEqualTo(new VfioGroup.Status(true, false));
        container(group);
        assertThat(group.status()).isEqualTo(new VfioGroup.Status(true, true));
        assertThat(vfio.bind(0x0201, "e1000e")).as("DMA is owned by the group").isEqualTo(Errno.EBUSY);
    }

    @Test
    void shouldHaveOneOpener() {
        VfioGroup group = group();
        int number = group.number();
        assertThat(vfio.openGroup(number).errno()).isEqualTo(Errno.EBUSY);
        assertThat(group.close()).isEqualTo(Errno.OK);
        assertThat(vfio.openGroup(number).errno()).isEqualTo(Errno.OK);
        assertThat(vfio.openGroup(99).errno()).isEqualTo(Errno.ENODEV);
        assertThat(vfio.openGroup(vfio.groupNumber(empty.rid())).errno())
                .as("nothing there is bound to VFIO")
                .isEqualTo(Errno.ENODEV);
    }

    @Test
    void shouldKeepTheOrderOfTheLifeCycle() {
        VfioGroup group = group();
        VfioContainer container = vfio.openContainer();
        assertThat(container.setIommu(TYPE1V2)).as("9.1: a group first").isEqualTo(Errno.EINVAL);
        assertThat(group.unsetContainer()).isEqualTo(Errno.EINVAL);
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(group.setContainer(container)).isEqualTo(Errno.EINVAL);
        assertThat(group.openDevice(FIRST).errno()).as("an IOMMU first").isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0, 0, 4096)).isEqualTo(Errno.EINVAL);
        assertThat(container.setIommu(VfioContainer.Extension.NESTING)).isEqualTo(Errno.ENODEV);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).as("once").isEqualTo(Errno.EINVAL);
        VfioDevice device = group.openDevice(FIRST).orElseThrow();
        assertThat(group.openDevice(FIRST).errno()).isEqualTo(Errno.EBUSY);
        assertThat(group.openDevice("0000:09:00.0").errno()).isEqualTo(Errno.ENODEV);
        assertThat(group.unsetContainer()).isEqualTo(Errno.EBUSY);
        assertThat(group.close()).isEqualTo(Errno.EBUSY);
        device.close();
        assertThat(group.unsetContainer()).isEqualTo(Errno.OK);
        assertThat(bench.driver.domainOf(0x0200)).as("blocked again").isNull();
    }

    @Test
    @DisplayName("9.5: an empty container blocks everything; after UNMAP nothing gets through")
    void shouldIsolate() {
        bench.memory.writeLong(0x5000, 0x1122_3344_5566_7788L);
        VfioGroup group = group();
        VfioContainer container = container(group);
        busMaster(group.openDevice(FIRST).orElseThrow());
        assertThat(read(first, 0x5000)).isEqualTo(DmaFault.NO_READ);
        assertThat(map(container, 0x5000, 0x9000, 0x2000)).isEqualTo(Errno.OK);
        assertThat(read(first, 0x9000)).isEqualTo(DmaFault.NONE);
        assertThat(read(second, 0x9000)).as("its bus master bit").isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(read(first, 0xB000)).isEqualTo(DmaFault.NO_READ);
        assertThat(container.unmapDma(0x9000, 0x2000)).isEqualTo(new VfioContainer.Unmapped(Errno.OK, 0x2000));
        assertThat(read(first, 0x9000)).isEqualTo(DmaFault.NO_READ);
    }

    @Test
    @DisplayName("9.1: MAP_DMA")
    void shouldRefuseWhatCannotBeMapped() {
        VfioContainer container = container(group());
        assertThat(map(container, 0, 0x1000, 0)).isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0, 0x1800, 0x1000)).isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0x10, 0x1000, 0x1000)).isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0, -4096, 0x2000)).as("wraps").isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0, 0xFEE0_0000L, 0x1000))
                .as("interrupt range")
                .isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0, 1L << 62, 0x1000)).as("beyond the unit").isEqualTo(Errno.EINVAL);
        assertThat(map(container, 0, 0x10_0000, 0x4000)).isEqualTo(Errno.OK);
        assertThat(map(container, 0, 0x10_3000, 0x1000)).isEqualTo(Errno.EEXIST);
        assertThat(map(container, 0, 0xF_F000, 0x2000)).isEqualTo(Errno.EEXIST);
        assertThat(map(container, 0, 0x10_4000, 0x1000)).isEqualTo(Errno.OK);
        container.pinLimit(0x6000);
        assertThat(map(container, 0, 0x20_0000, 0x2000)).isEqualTo(Errno.ENOMEM);
        assertThat(container.mapDma((vaddr, size, out) -> {}, 0, 0x20_0000, 0x1000, MapRights.READ))
                .isEqualTo(Errno.EFAULT);
        assertThat(container.info().available()).isEqualTo(VfioContainer.DMA_ENTRY_LIMIT - 2);
        assertThat(container.info().pageSizes()).isEqualTo(0x1000);
        assertThat(container.info().ranges().getFirst()).isEqualTo(new VfioContainer.Range(0, 0xFEDF_FFFFL));
        assertThat(container.checkExtension(3)).isEqualTo(1);
        assertThat(container.checkExtension(6)).as("no nesting").isZero();
    }

    @Test
    @DisplayName("9.1: UNMAP_DMA of version 2 splits nothing")
    void shouldUnmapWholeMappingsOnly() {
        VfioContainer container = container(group());
        map(container, 0, 0x10_0000, 0x4000);
        map(container, 0, 0x20_0000, 0x1000);
        assertThat(container.unmapDma(0x10_1000, 0x3000).errno()).isEqualTo(Errno.EINVAL);
        assertThat(container.unmapDma(0x10_0000, 0x3000).errno()).isEqualTo(Errno.EINVAL);
        assertThat(container.unmapDma(0x50_0000, 0x1000)).isEqualTo(new VfioContainer.Unmapped(Errno.OK, 0));
        assertThat(container.unmapDma(0x0F_0000, 0x20_0000)).isEqualTo(new VfioContainer.Unmapped(Errno.OK, 0x5000));
        map(container, 0, 0x10_0000, 0x4000);
        assertThat(container.unmapAll()).isEqualTo(new VfioContainer.Unmapped(Errno.OK, 0x4000));
    }

    @Test
    @DisplayName("9.1: DIRTY_PAGES")
    void shouldReportAllThatIsMappedAsDirty() {
        VfioContainer container = container(group());
        map(container, 0, 0x10_1000, 0x2000);
        assertThat(container.dirtyBitmap(0x10_0000, 0x4000, 4096).errno()).isEqualTo(Errno.EINVAL);
        assertThat(container.startDirtyTracking()).isEqualTo(Errno.OK);
        assertThat(container.startDirtyTracking()).as("no-op").isEqualTo(Errno.OK);
        assertThat(container.dirtyBitmap(0x10_0000, 65 * 0x1000, 4096).bitmap()).containsExactly(0b110, 0);
        assertThat(container.dirtyBitmap(0x10_0000, 0x4000, 1 << 21).errno()).isEqualTo(Errno.EINVAL);
        assertThat(container.dirtyBitmap(0x10_2000, 0x4000, 4096).errno()).isEqualTo(Errno.EINVAL);
        assertThat(container.stopDirtyTracking()).isEqualTo(Errno.OK);
        assertThat(container.dirtyBitmap(0x10_0000, 0x4000, 4096).errno()).isEqualTo(Errno.EINVAL);
    }

    @Test
    @DisplayName("9.3: the device is reset when it is opened and when it is closed, and cannot master the bus then")
    void shouldLeaveNothingForTheNextUser() {
        first.writeBar(0, 0, 4, 0xDEAD);
        first.config().write(ConfigSpace.COMMAND, 2, 6);
        VfioGroup group = group();
        container(group);
        VfioDevice device = group.openDevice(FIRST).orElseThrow();
        assertThat(device.resetMethod()).isEqualTo("FLR");
        assertThat(device.readRegion(0, 0, 4)).isZero();
        assertThat(read(first, 0)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        busMaster(device);
        device.writeRegion(0, 0, 4, 0xBEEF);
        device.close();
        assertThat(first.readBar(0, 0, 4)).isZero();
        assertThat(first.config().busMaster()).isFalse();
        assertThat(device.readRegion(0, 0, 4)).as("closed").isEqualTo(0xFFFF_FFFFL);
        assertThat(first.config().barAddress(0)).as("the host's address").isNotZero();
    }

    @Test
    void shouldDescribeRegions() {
        VfioGroup group = group();
        container(group);
        VfioDevice device = group.openDevice(FIRST).orElseThrow();
        assertThat(device.info()).isEqualTo(new VfioDevice.Info(true, 9, 5));
        VfioDevice.Region bar = device.regionInfo(0).orElseThrow();
        assertThat(bar.size()).isEqualTo(ProbeFunction.BAR_BYTES);
        assertThat(bar.sparse()).containsExactly(new VfioDevice.Area(0, ProbeFunction.BAR_BYTES));
        assertThat(device.regionInfo(7).orElseThrow().offset()).isEqualTo(7L << 40);
        assertThat(device.regionInfo(1).orElseThrow().size()).isZero();
        assertThat(device.regionInfo(9).errno()).isEqualTo(Errno.EINVAL);
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.BAR0, 4, -1);
        assertThat(device.readRegion(VfioDevice.CONFIG_REGION, ConfigSpace.BAR0, 4))
                .as("sizing works on the copy")
                .isEqualTo(0xFFFF_0000L);
    }

    @Test
    @DisplayName("9.1: SET_IOMMU is refused for a device with an RMRR, and says why")
    void shouldRefuseDevicesWithReservedMemory() {
        vfio.bind(0x0418, VfioHost.VFIO_DRIVER);
        VfioGroup group = vfio.openGroup(vfio.groupNumber(0x0418)).orElseThrow();
        VfioContainer container = vfio.openContainer();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.EPERM);
        assertThat(group.refusal()).hasValue("0000:04:03.0: firmware reserved 0x7000-0x7fff for it (RMRR)");
        assertThat(read(old, 0x7000)).isEqualTo(DmaFault.BUS_MASTER_OFF);
    }

    @Test
    @DisplayName("SET_IRQS takes one data type and one action")
    void shouldCheckInterruptFlags() {
        VfioGroup group = group();
        container(group);
        VfioDevice device = group.openDevice(FIRST).orElseThrow();
        int[] fired = new int[1];
        int trigger = IrqInfo.DATA_EVENTFD | IrqInfo.ACTION_TRIGGER;
        int error = IrqIndex.ERR.ordinal();
        assertThat(device.irqInfo(5).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.irqInfo(2).orElseThrow().count()).as("no MSI-X").isZero();
        assertThat(device.setIrqs(trigger | IrqInfo.DATA_NONE, error, 0, 1, List.of(() -> {})))
                .isEqualTo(Errno.EINVAL);
        assertThat(device.setIrqs(IrqInfo.DATA_NONE, error, 0, 1, List.of())).isEqualTo(Errno.EINVAL);
        assertThat(device.setIrqs(trigger, error, 1, 1, List.of(() -> {}))).isEqualTo(Errno.EINVAL);
        assertThat(device.setIrqs(trigger, error, 0, 1, List.of(() -> fired[0]++)))
                .isEqualTo(Errno.OK);
        int loopback = IrqInfo.DATA_NONE | IrqInfo.ACTION_TRIGGER;
        assertThat(device.setIrqs(loopback, error, 0, 1, List.of())).isEqualTo(Errno.OK);
        assertThat(fired[0]).as("injected by the user").isEqualTo(1);
        assertThat(device.setIrqs(loopback, error, 0, 0, List.of()))
                .as("disables")
                .isEqualTo(Errno.OK);
        device.setIrqs(loopback, error, 0, 1, List.of());
        assertThat(fired[0]).isEqualTo(1);
    }

    /** Random maps and unmaps against a set of pages (sheet 9.1): what is in the set is reachable, nothing else is. */
    @Test
    void shouldAgreeWithASetOfPages() {
        long seed = 41;
        SplittableRandom random = new SplittableRandom(seed);
        VfioGroup group = group();
        VfioContainer container = container(group);
        busMaster(group.openDevice(FIRST).orElseThrow());
        TreeSet<Long> pages = new TreeSet<>();
        for (int step = 0; step < 3000; step++) {
            long page = random.nextInt(64);
            int count = random.nextInt(1, 5);
            if (random.nextBoolean()) {
                boolean free = pages.subSet(page, page + count).isEmpty();
                assertThat(map(container, 0, page << 12, (long) count << 12))
                        .as("seed %d step %d", seed, step)
                        .isEqualTo(free ? Errno.OK : Errno.EEXIST);
                for (long p = page; free && p < page + count; p++) {
                    pages.add(p);
                }
            } else if (container.unmapDma(page << 12, (long) count << 12).errno() == Errno.OK) {
                pages.subSet(page, page + count).clear();
            }
            long probe = random.nextInt(70);
            assertThat(read(first, probe << 12))
                    .as("seed %d step %d", seed, step)
                    .isEqualTo(pages.contains(probe) ? DmaFault.NONE : DmaFault.NO_READ);
        }
    }
}

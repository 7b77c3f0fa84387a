package io.iolab.vmm.assign;

import static io.iolab.vmm.assign.VfioContainer.Extension.TYPE1V2;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.edu.EduDevice;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.ProbeFunction;
import io.iolab.vmm.pci.ProbeFunction.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Fact sheet 9.3: PCI_HOT_RESET_INFO and PCI_HOT_RESET; all affected groups must be owned. */
@DisplayName("Hot reset")
class HotResetTest {
    private static final UserMemory MEMORY = (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size);
    private static final int ACS = AccessControlServices.ISOLATION;

    private final AssignmentBench bench = new AssignmentBench();
    private final Bridge root = bench.build.rootPort(1, 0, ACS);
    /** Two functions that isolate themselves from each other: two groups on one bus. */
    private final ProbeFunction first =
            bench.build.function(root, 0, 0, dma -> new ProbeFunction(Kind.EXPRESS, ACS, dma));

    private final ProbeFunction second =
            bench.build.function(root, 0, 1, dma -> new ProbeFunction(Kind.EXPRESS, ACS, dma));
    private final Bridge upstream = bench.build.switchUpstreamPort(bench.build.rootPort(2, 0, ACS));
    private final ProbeFunction behindSwitch = bench.build.function(
            bench.build.switchDownstreamPort(upstream, 0, ACS), 0, 0, dma -> new ProbeFunction(Kind.EXPRESS, 0, dma));
    private final Bridge eduPort = bench.build.rootPort(3, 0, ACS);
    private final EduDevice edu =
            bench.build.function(eduPort, 0, 0, dma -> new EduDevice(-1, dma, asserted -> {}, () -> 0));
    private final ProbeFunction integrated =
            bench.build.function(null, 5, 0, dma -> new ProbeFunction(Kind.INTEGRATED, 0, dma));
    private final VfioHost vfio = bench.start();

    @AfterEach
    void close() {
        bench.close();
    }

    private VfioGroup group(int rid) {
        vfio.bind(rid, VfioHost.VFIO_DRIVER);
        VfioGroup group = vfio.openGroup(vfio.groupNumber(rid)).orElseThrow();
        VfioContainer container = vfio.openContainer();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.OK);
        assertThat(container.mapDma(MEMORY, 0, 0, 0x4000, MapRights.READ_WRITE)).isEqualTo(Errno.OK);
        return group;
    }

    private static VfioDevice open(VfioGroup group, int rid) {
        VfioDevice device = group.openDevice(VfioHost.name(rid)).orElseThrow();
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
        return device;
    }

    private static DmaFault read(ProbeFunction function) {
        return function.dma().read(0, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    @Test
    void shouldNameEverybodyOnTheBus() {
        VfioDevice device = open(group(0x0100), 0x0100);
        assertThat(device.hotResetInfo().orElseThrow())
                .containsExactly(
                        new VfioDevice.Affected(vfio.groupNumber(0x0100), 0x0100, "0000:01:00.0"),
                        new VfioDevice.Affected(vfio.groupNumber(0x0101), 0x0101, "0000:01:00.1"));
        assertThat(vfio.groupNumber(0x0100)).isNotEqualTo(vfio.groupNumber(0x0101));
        VfioDevice onBus0 = open(group(0x0028), 0x0028);
        assertThat(onBus0.hotResetInfo().errno()).as("no bridge above").isEqualTo(Errno.ENODEV);
        assertThat(onBus0.hotReset(List.of()).errno()).isEqualTo(Errno.ENODEV);
        assertThat(read(integrated)).isEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldRefuseWithoutAllGroupsAndNameTheOthers() {
        VfioGroup mine = group(0x0100);
        VfioDevice device = open(mine, 0x0100);
        device.writeRegion(0, 0, 4, 0xBEEF);
        assertThat(device.hotReset(List.of(mine)))
                .isEqualTo(
                        new VfioDevice.HotResetResult(Errno.EINVAL, List.of("0000:01:00.1 is not bound to vfio-pci")));
        VfioGroup theirs = group(0x0101);
        assertThat(device.hotReset(List.of(mine)))
                .isEqualTo(new VfioDevice.HotResetResult(
                        Errno.EINVAL,
                        List.of("0000:01:00.1 is in group " + theirs.number() + ", which was not handed in")));
        assertThat(device.hotReset(List.of()).errno()).isEqualTo(Errno.EINVAL);
        assertThat(device.readRegion(0, 0, 4)).as("nothing has happened").isEqualTo(0xBEEF);
        assertThat(read(first)).isEqualTo(DmaFault.NONE);
        theirs.close();
        assertThat(device.hotReset(List.of(mine, theirs)).errno())
                .as("a group that is closed")
                .isEqualTo(Errno.EINVAL);
    }

    @Test
    void shouldResetEverybodyAndPutBackWhatIsTheHosts() {
        VfioGroup mine = group(0x0100);
        VfioGroup theirs = group(0x0101);
        VfioDevice device = open(mine, 0x0100);
        VfioDevice other = open(theirs, 0x0101);
        device.writeRegion(0, 0, 4, 0xBEEF);
        other.writeRegion(0, 0, 4, 0xBEEF);
        long bar = second.config().barAddress(0);
        int groups = vfio.groups().groups().size();
        assertThat(device.hotReset(List.of(theirs, mine)))
                .isEqualTo(new VfioDevice.HotResetResult(Errno.OK, List.of()));
        assertThat(device.readRegion(0, 0, 4)).isZero();
        assertThat(other.readRegion(0, 0, 4)).isZero();
        assertThat(second.config().barAddress(0)).isEqualTo(bar).isNotZero();
        assertThat(read(first)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(read(second)).isEqualTo(DmaFault.BUS_MASTER_OFF);
        assertThat(vfio.groups().groups()).as("access control is on again").hasSize(groups);
        other.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
        assertThat(read(second)).as("still its user's").isEqualTo(DmaFault.NONE);
    }

    @Test
    void shouldSwitchInterruptsOff() {
        VfioGroup group = group(0x0500);
        VfioDevice device = open(group, 0x0500);
        List<String> heard = new ArrayList<>();
        int events = IrqInfo.DATA_EVENTFD | IrqInfo.ACTION_TRIGGER;
        assertThat(device.setIrqs(events, IrqIndex.MSI.ordinal(), 0, 1, List.of(() -> heard.add("msi"))))
                .isEqualTo(Errno.OK);
        device.writeRegion(0, 0x60, 4, 1);
        assertThat(heard).hasSize(1);
        assertThat(device.hotReset(List.of(group)).errno()).isEqualTo(Errno.OK);
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, 6);
        device.writeRegion(0, 0x60, 4, 1);
        assertThat(heard).hasSize(1);
        assertThat(edu.config().busMaster()).isTrue();
        assertThat(device.setIrqs(events, IrqIndex.MSI.ordinal(), 0, 1, List.of(() -> heard.add("again"))))
                .isEqualTo(Errno.OK);
        device.writeRegion(0, 0x60, 4, 1);
        assertThat(heard).endsWith("again");
    }

    @Test
    @DisplayName("FEATURE: neither migration nor a log of its own DMA")
    void shouldHaveNoFeatures() {
        VfioDevice device = open(group(0x0400), 0x0400);
        for (int feature = 0; feature < 10; feature++) {
            assertThat(device.feature(feature)).isEqualTo(Errno.ENOTTY);
        }
        assertThat(read(behindSwitch)).isEqualTo(DmaFault.NONE);
        assertThat(device.hotResetInfo().orElseThrow())
                .as("the bus of the downstream port")
                .hasSize(1);
        device.close();
        assertThat(device.hotResetInfo().errno()).isEqualTo(Errno.ENODEV);
    }
}

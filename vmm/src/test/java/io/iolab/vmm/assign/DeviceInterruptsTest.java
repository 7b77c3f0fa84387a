package io.iolab.vmm.assign;

import static io.iolab.vmm.assign.VfioContainer.Extension.TYPE1V2;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.edu.EduDevice;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.MsiCapability;
import io.iolab.devices.pci.PciFunction;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.TableMode;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.vmm.pci.Bridge;
import io.iolab.vmm.pci.PciBridge;
import io.iolab.vmm.pci.ProbeFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Fact sheet sections 4 and 9.3: the interrupts of real devices at their user's events, with interrupt remapping and without. */
@DisplayName("Interrupts of open devices")
@ParameterizedClass(name = "remapped {0}")
@ValueSource(booleans = {false, true})
class DeviceInterruptsTest {
    private static final byte[] MAC = {0x52, 0x54, 0, 0, 0, 1};
    private static final int EVENTS = IrqInfo.DATA_EVENTFD | IrqInfo.ACTION_TRIGGER;
    private static final int INTX = 0;
    private static final int MSI = 1;
    private static final int MSIX = 2;
    private static final int OFF = IrqInfo.DATA_NONE | IrqInfo.ACTION_TRIGGER;
    private static final int MASK = IrqInfo.DATA_NONE | IrqInfo.ACTION_MASK;
    private static final int UNMASK = IrqInfo.DATA_NONE | IrqInfo.ACTION_UNMASK;

    /** QEMU's edu device: raise and acknowledge. */
    private static final int EDU_RAISE = 0x60;

    private static final int EDU_ACKNOWLEDGE = 0x64;

    private static final int ICR = 0x00C0;
    private static final int ICS = 0x00C8;
    private static final int IMS = 0x00D0;
    private static final int IVAR = 0x00E4;
    private static final int LSC = 1 << 2;
    private static final int RXQ0 = 1 << 20;
    private static final int TXQ0 = 1 << 22;

    private final boolean remapped;
    private final AssignmentBench bench;
    private final Bridge[] roots = new Bridge[5];
    private final EduDevice edu;
    private final EduDevice other;
    private final E1000 express;
    private final E1000 conventional;
    private final ProbeFunction stranger;
    private final VfioHost vfio;
    private final List<String> heard = new ArrayList<>();

    DeviceInterruptsTest(boolean remapped) {
        this.remapped = remapped;
        bench = new AssignmentBench(
                RemappingOptions.builder().interruptRemapping(remapped).build(), TableMode.LEGACY);
        for (int i = 0; i < roots.length; i++) {
            // Devices 1, 5, 9, ... of bus 0: their INTA# is the same line.
            roots[i] = bench.build.rootPort(1 + 4 * i, 0, AccessControlServices.ISOLATION);
        }
        edu = bench.build.function(roots[0], 0, 0, dma -> new EduDevice(-1, dma, pin(roots[0], 0), () -> 0));
        other = bench.build.function(roots[1], 0, 0, dma -> new EduDevice(-1, dma, pin(roots[1], 0), () -> 0));
        express = bench.build.function(
                roots[2],
                0,
                0,
                dma -> E1000.create(
                        E1000Model.I82574L, MAC, dma, pin(roots[2], 0), (f, o, l) -> Delivery.ACCEPTED, () -> 0));
        Bridge bus = bench.build.pciBridge(roots[3], PciBridge.Alias.SECONDARY_BUS);
        conventional = bench.build.function(
                bus,
                2,
                0,
                dma -> E1000.create(
                        E1000Model.I82540EM, MAC, dma, pin(bus, 2), (f, o, l) -> Delivery.ACCEPTED, () -> 0));
        stranger = bench.build.function(roots[4], 0, 0, dma -> new ProbeFunction(ProbeFunction.Kind.EXPRESS, 0, dma));
        vfio = bench.start();
    }

    private InterruptPin pin(Bridge above, int device) {
        return bench.build.interruptPin(above, device, 1);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private VfioDevice open(PciFunction function) {
        int rid = bench.topology().port(function).orElseThrow().rid();
        vfio.bind(rid, VfioHost.VFIO_DRIVER);
        VfioGroup group = vfio.openGroup(vfio.groupNumber(rid)).orElseThrow();
        VfioContainer container = vfio.openContainer();
        assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
        assertThat(container.setIommu(TYPE1V2)).isEqualTo(Errno.OK);
        VfioDevice device = group.openDevice(VfioHost.name(rid)).orElseThrow();
        command(device, 0);
        return device;
    }

    private static void command(VfioDevice device, int more) {
        int command = ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_BUS_MASTER | more;
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, command);
    }

    private List<@Nullable Runnable> events(String name, int count) {
        return IntStream.range(0, count)
                .<@Nullable Runnable>mapToObj(i -> () -> heard.add(name + i))
                .toList();
    }

    private static Errno irqs(VfioDevice device, int flags, int index, int count) {
        return device.setIrqs(flags, index, 0, count, List.of());
    }

    private static void edu(VfioDevice device, int register, int value) {
        device.writeRegion(0, register, 4, value);
    }

    private long remappedMessages(int rid) {
        return bench.unit.interruptPortFor(rid).remapped();
    }

    @Test
    @DisplayName("9.3 INTX: masked when it fires; UNMASK raises it again while it is asserted (4.1)")
    void shouldForwardLineAsLevel() {
        VfioDevice device = open(edu);
        assertThat(device.irqInfo(INTX).orElseThrow()).isEqualTo(new IrqInfo(true, true, true, false, 1));
        assertThat(device.setIrqs(EVENTS, INTX, 0, 1, events("line", 1))).isEqualTo(Errno.OK);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).containsExactly("line0");
        edu(device, EDU_RAISE, 2);
        assertThat(heard).as("masked").hasSize(1);
        assertThat(edu.config().intxDisabled()).isTrue();
        irqs(device, UNMASK, INTX, 1);
        assertThat(heard).as("still asserted").hasSize(2);
        edu(device, EDU_ACKNOWLEDGE, 3);
        irqs(device, UNMASK, INTX, 1);
        assertThat(heard).as("gone").hasSize(2);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).as("a new one").hasSize(3);
        assertThat(bench.unit.interruptPortFor(AssignmentBench.IO_APIC).remapped())
                .as("by way of the I/O APIC's entry")
                .isEqualTo(remapped ? 3 : 0);
        assertThat(bench.interrupts.spurious()).isZero();
    }

    @Test
    @DisplayName("9.3: MASK holds the level back, and so does the user's interrupt disable bit (1.1)")
    void shouldHoldBackWhatIsMasked() {
        VfioDevice device = open(edu);
        device.setIrqs(EVENTS, INTX, 0, 1, events("line", 1));
        assertThat(irqs(device, MASK, INTX, 1)).isEqualTo(Errno.OK);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).isEmpty();
        command(device, ConfigSpace.COMMAND_INTX_DISABLE);
        irqs(device, UNMASK, INTX, 1);
        assertThat(heard).isEmpty();
        command(device, 0);
        assertThat(heard).containsExactly("line0");
        assertThat(irqs(device, OFF, INTX, 0)).isEqualTo(Errno.OK);
        assertThat(irqs(device, UNMASK, INTX, 1)).as("off").isEqualTo(Errno.EINVAL);
        edu(device, EDU_RAISE, 2);
        assertThat(heard).hasSize(1);
    }

    @Test
    @DisplayName("4.1: functions that share a line are heard each, one masked or not")
    void shouldHearEachOfSharedLine() {
        VfioDevice first = open(edu);
        VfioDevice second = open(other);
        assertThat(edu.config().get(ConfigSpace.INTERRUPT_LINE, 1))
                .isEqualTo(other.config().get(ConfigSpace.INTERRUPT_LINE, 1));
        first.setIrqs(EVENTS, INTX, 0, 1, events("first", 1));
        second.setIrqs(EVENTS, INTX, 0, 1, events("second", 1));
        edu(first, EDU_RAISE, 1);
        edu(second, EDU_RAISE, 1);
        assertThat(heard).containsExactly("first0", "second0");
        irqs(second, UNMASK, INTX, 1);
        assertThat(heard).containsExactly("first0", "second0", "second0");
        irqs(first, OFF, INTX, 0);
        edu(second, EDU_ACKNOWLEDGE, 1);
        irqs(second, UNMASK, INTX, 1);
        edu(second, EDU_RAISE, 1);
        assertThat(heard).hasSize(4);
        assertThat(bench.interrupts.spurious()).isZero();
    }

    @Test
    @DisplayName("an event that unmasks a level which never ends does not run for ever")
    void shouldEndStorm() {
        VfioDevice device = open(edu);
        device.setIrqs(EVENTS, INTX, 0, 1, List.of(() -> {
            heard.add("line");
            irqs(device, UNMASK, INTX, 1);
        }));
        edu(device, EDU_RAISE, 1);
        assertThat(heard).hasSizeBetween(2, 2000);
        heard.clear();
        edu(device, EDU_ACKNOWLEDGE, 1);
        irqs(device, UNMASK, INTX, 1);
        assertThat(heard).isEmpty();
        device.setIrqs(EVENTS, INTX, 0, 1, events("line", 1));
        edu(device, EDU_RAISE, 1);
        assertThat(heard).as("heard again").containsExactly("line0");
    }

    @Test
    @DisplayName("4.1: a device without interrupt disable has its line for itself, and the line is masked (PCI 2.2)")
    void shouldMaskTheLineOfAnOldDevice() {
        edu.config().field(ConfigSpace.COMMAND, 2, 0, 0x0147, 0).seal();
        VfioDevice device = open(edu);
        VfioDevice neighbour = open(other);
        assertThat(device.setIrqs(EVENTS, INTX, 0, 1, events("old", 1))).isEqualTo(Errno.OK);
        assertThat(neighbour.setIrqs(EVENTS, INTX, 0, 1, events("new", 1))).isEqualTo(Errno.EBUSY);
        edu(device, EDU_RAISE, 1);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).containsExactly("old0");
        irqs(device, UNMASK, INTX, 1);
        assertThat(heard).as("still asserted").hasSize(2);
        edu(device, EDU_ACKNOWLEDGE, 1);
        irqs(device, UNMASK, INTX, 1);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).hasSize(3);
        irqs(device, OFF, INTX, 0);
        assertThat(neighbour.setIrqs(EVENTS, INTX, 0, 1, events("new", 1))).isEqualTo(Errno.OK);
    }

    @Test
    @DisplayName("4.2, 9.3 MSI: the device's message, not its line; off means off")
    void shouldForwardMessage() {
        VfioDevice device = open(edu);
        assertThat(device.irqInfo(MSI).orElseThrow()).isEqualTo(new IrqInfo(true, false, false, true, 1));
        assertThat(device.setIrqs(EVENTS, MSI, 0, 1, events("msi", 1))).isEqualTo(Errno.OK);
        edu(device, EDU_RAISE, 1);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).containsExactly("msi0", "msi0");
        assertThat(remappedMessages(0x0100)).isEqualTo(remapped ? 2 : 0);
        command(device, 0);
        device.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).as("a message needs bus mastering").hasSize(2);
        command(device, 0);
        irqs(device, OFF, MSI, 0);
        edu(device, EDU_RAISE, 1);
        assertThat(heard).hasSize(2);
    }

    @Test
    @DisplayName("4.2: several messages, numbered by the device in the low bits of its data, at an event each")
    void shouldForwardSeveralMessages() {
        MsiCapability many = new MsiCapability(stranger.config(), 0x80, 8, true, stranger.dma());
        stranger.config().seal();
        VfioDevice neighbour = open(edu);
        neighbour.setIrqs(EVENTS, MSI, 0, 1, events("edu", 1));
        VfioDevice device = open(stranger);
        assertThat(device.irqInfo(MSI).orElseThrow().count()).isEqualTo(8);
        assertThat(device.setIrqs(EVENTS, MSI, 0, 3, events("m", 3))).isEqualTo(Errno.OK);
        assertThat(many.granted()).as("a power of two").isEqualTo(4);
        many.fire(2);
        many.fire(0);
        many.fire(1);
        many.fire(3);
        assertThat(heard).containsExactly("m2", "m0", "m1");
        edu(neighbour, EDU_RAISE, 1);
        assertThat(heard).endsWith("edu0");
        assertThat(remappedMessages(0x0600)).isEqualTo(remapped ? 4 : 0);
    }

    @Test
    @DisplayName("9.3: the MSI capability is the user's own copy, and its enable bit is not forwarded")
    void shouldKeepPhysicalMessageFromUser() {
        VfioDevice device = open(edu);
        int msi = VirtualConfig.find(edu.config(), VirtualConfig.MSI);
        device.writeRegion(VfioDevice.CONFIG_REGION, msi + 4, 4, 0xFEE0_0000L);
        device.writeRegion(VfioDevice.CONFIG_REGION, msi + 12, 2, 0x41);
        device.writeRegion(VfioDevice.CONFIG_REGION, msi + 2, 2, 1);
        assertThat(device.readRegion(VfioDevice.CONFIG_REGION, msi + 12, 2)).isEqualTo(0x41);
        assertThat(device.readRegion(VfioDevice.CONFIG_REGION, msi + 2, 2) & 1).isOne();
        assertThat(edu.config().get(msi + 2, 2) & 1).isZero();
        assertThat(edu.config().get(msi + 12, 2)).isZero();
    }

    @Test
    @DisplayName("4.3, 9.3 MSI-X: each vector of an 82574L at its own event (82574 datasheet 7.4.2)")
    void shouldForwardVectors() {
        VfioDevice device = open(express);
        int vectors = device.irqInfo(MSIX).orElseThrow().count();
        assertThat(vectors).isEqualTo(5);
        assertThat(device.setIrqs(EVENTS, MSIX, 0, 3, events("v", 3))).isEqualTo(Errno.OK);
        // Receive queue 0 on vector 0, transmit queue 0 on 1, others on 2.
        device.writeRegion(0, IVAR, 4, 0x8 | 0x9 << 8 | 0xAL << 16);
        device.writeRegion(0, IMS, 4, RXQ0 | TXQ0 | LSC | 1 << 24);
        device.writeRegion(0, ICS, 4, TXQ0);
        device.writeRegion(0, ICS, 4, RXQ0);
        device.writeRegion(0, ICS, 4, LSC);
        assertThat(heard).containsExactly("v1", "v0", "v2");
        assertThat(remappedMessages(0x0300)).isEqualTo(remapped ? 3 : 0);
        assertThat(device.setIrqs(EVENTS, MSIX, 3, 1, events("more", 1)))
                .as("NORESIZE")
                .isEqualTo(Errno.EINVAL);
        device.setIrqs(EVENTS, MSIX, 1, 1, java.util.Collections.singletonList(null));
        device.readRegion(0, ICR, 4);
        device.writeRegion(0, ICS, 4, TXQ0);
        assertThat(heard).as("its event is taken away").hasSize(3);
        irqs(device, OFF, MSIX, 0);
        assertThat(device.setIrqs(EVENTS, MSIX, 0, 5, events("v", 5))).isEqualTo(Errno.OK);
    }

    @Test
    @DisplayName("the 82574L's line and MSI, one after the other; one kind is on at a time")
    void shouldSwitchKinds() {
        VfioDevice device = open(express);
        assertThat(device.setIrqs(EVENTS, INTX, 0, 1, events("line", 1))).isEqualTo(Errno.OK);
        assertThat(device.setIrqs(EVENTS, MSI, 0, 1, events("msi", 1))).isEqualTo(Errno.EINVAL);
        assertThat(device.setIrqs(EVENTS, MSIX, 0, 1, events("v", 1))).isEqualTo(Errno.EINVAL);
        device.writeRegion(0, IMS, 4, LSC);
        device.writeRegion(0, ICS, 4, LSC);
        assertThat(heard).containsExactly("line0");
        device.readRegion(0, ICR, 4);
        assertThat(irqs(device, OFF, MSI, 0)).as("another is on").isEqualTo(Errno.EINVAL);
        assertThat(irqs(device, OFF, INTX, 0)).isEqualTo(Errno.OK);
        assertThat(irqs(device, OFF, INTX, 0)).as("off already").isEqualTo(Errno.EINVAL);
        assertThat(device.setIrqs(EVENTS, MSI, 0, 1, events("msi", 1))).isEqualTo(Errno.OK);
        device.writeRegion(0, ICS, 4, LSC);
        assertThat(heard).containsExactly("line0", "msi0");
        assertThat(irqs(device, MASK, MSI, 1))
                .as("a vector's mask is the device's")
                .isEqualTo(Errno.ENOTTY);
        assertThat(irqs(device, UNMASK, MSIX, 1)).isEqualTo(Errno.ENOTTY);
    }

    @Test
    @DisplayName("4.1: the pin of an 82540EM behind two bridges, turned at each")
    void shouldForwardLineFromConventionalBus() {
        VfioDevice device = open(conventional);
        device.setIrqs(EVENTS, INTX, 0, 1, events("line", 1));
        device.writeRegion(0, IMS, 4, LSC);
        device.writeRegion(0, ICS, 4, LSC);
        assertThat(heard).containsExactly("line0");
        device.readRegion(0, ICR, 4);
        irqs(device, UNMASK, INTX, 1);
        assertThat(heard).hasSize(1);
        // Root port 13's INTA# is GSI 21; device 2 turns it by two, the bridge and the port's link by none.
        assertThat(conventional.config().get(ConfigSpace.INTERRUPT_LINE, 1)).isEqualTo(23);
    }

    @Test
    @DisplayName("VT-d 5.1.4.1: another function's message to the same entry is refused")
    void shouldAdmitTheDeviceAlone() {
        VfioDevice device = open(edu);
        device.setIrqs(EVENTS, MSI, 0, 1, events("msi", 1));
        int msi = VirtualConfig.find(edu.config(), VirtualConfig.MSI);
        long address = edu.config().get(msi + 4, 4) & 0xFFFF_FFFFL;
        int data = edu.config().get(msi + 12, 2);
        open(stranger);
        stranger.dma().write(address, new byte[] {(byte) data, 0, 0, 0}, 0, 4, DmaKind.PAYLOAD);
        assertThat(heard).hasSize(remapped ? 0 : 1);
        List<FaultReason> reasons = new ArrayList<>();
        bench.driver.handleFaults((FaultReport report) -> reasons.add(report.reason()));
        assertThat(reasons).isEqualTo(remapped ? List.of(FaultReason.SOURCE_REFUSED) : List.of());
    }

    @Test
    @DisplayName("9.3: TRIGGER needs the index to be on; it raises the event and masks nothing")
    void shouldInjectLoopback() {
        VfioDevice device = open(edu);
        int loopback = IrqInfo.DATA_NONE | IrqInfo.ACTION_TRIGGER;
        assertThat(irqs(device, loopback, INTX, 1)).isEqualTo(Errno.EINVAL);
        device.setIrqs(EVENTS, INTX, 0, 1, events("line", 1));
        assertThat(irqs(device, loopback, INTX, 1)).isEqualTo(Errno.OK);
        assertThat(irqs(device, loopback, INTX, 1)).isEqualTo(Errno.OK);
        assertThat(heard).hasSize(2);
    }

    @Test
    @DisplayName("9.5: closing and resetting leave no vector, no entry and no line behind")
    void shouldGiveEverythingBack() {
        for (int i = 0; i < 300; i++) {
            int rid = 0x0300;
            vfio.bind(rid, VfioHost.VFIO_DRIVER);
            VfioGroup group = vfio.openGroup(vfio.groupNumber(rid)).orElseThrow();
            group.setContainer(vfio.openContainer());
            assertThat(group.status().containerSet()).isTrue();
            VfioContainer container = java.util.Objects.requireNonNull(group.container());
            container.setIommu(TYPE1V2);
            VfioDevice device = group.openDevice(VfioHost.name(rid)).orElseThrow();
            int index = i % 3;
            int count = device.irqInfo(index).orElseThrow().count();
            assertThat(device.setIrqs(EVENTS, index, 0, count, events("x", count)))
                    .as("round " + i)
                    .isEqualTo(Errno.OK);
            device.close();
            assertThat(group.close()).isEqualTo(Errno.OK);
        }
        assertThat(heard).isEmpty();
    }
}

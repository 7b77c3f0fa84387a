package io.iolab.vmm.assign;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.driver.InterruptHandler;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.igb.IgbDriver;
import io.iolab.devices.driver.igb.IgbOptions;
import io.iolab.devices.driver.igb.IgbVfDriver;
import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.driver.pci.PciBar;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.pci.VirtualFunctions;
import io.iolab.devices.igb.Igb82576;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.time.Clock;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.MapRights;
import io.iolab.vmm.pci.BarTarget;
import io.iolab.vmm.pci.Bridge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** An 82576 behind a root port: the host drives the physical function, a guest each of two virtual ones (SR-IOV 1.1 chapter 3). */
@DisplayName("Virtual functions under VFIO")
class VirtualFunctionTest {
    private static final byte[] PHYSICAL = {0x52, 0x54, 0, 0, 0, 1};
    private static final byte[][] STATIONS = {{0x52, 0x54, 0, 0, 0, 0xA}, {0x52, 0x54, 0, 0, 0, 0xB}};
    private static final int PF = 0x0100;
    /** First offset 80h with ARI, stride 2 (82576 datasheet 9.6.4.6 and 9.6.4.7). */
    private static final int[] VF = {0x0180, 0x0182};

    private static final int SRIOV = 0x160;
    private static final int SRIOV_CONTROL = SRIOV + 8;
    private static final int PORT_CONTROL_2 = 0x54 + 0x28;
    private static final int ARI_FORWARDING = 1 << 5;
    private static final int STATUS = 0x0008;
    private static final long MEGABYTE = 1 << 20;
    private static final long GUEST_BUS = 0x4000_0000;
    private static final int RING = 64;

    private final AssignmentBench bench = new AssignmentBench();
    private final Bridge root = bench.build.rootPort(1, 0, AccessControlServices.ISOLATION);
    private final List<byte[]> wire = new ArrayList<>();
    private final Igb82576 device = bench.build.physicalFunction(
            root,
            0,
            0,
            ports -> Igb82576.create(PHYSICAL, ports, InterruptPin.UNCONNECTED, this::sent, () -> this.nanos));
    private final VfioHost vfio = bench.start();
    private final ConfigAccess config = bench.topology().host().configAccess();
    private final List<Machine> machines = new ArrayList<>();
    private final Host host = new Host();
    private final PciDevice function;
    private long nanos;
    private boolean working;

    VirtualFunctionTest() {
        machines.add(host);
        assertThat(host.bus(config, 0xE000_0000L).forwardAlternativeRouting(root.rid()))
                .as("PCI Express Base 6.13")
                .isTrue();
        function = host.bus(config, 0xE000_0000L).scan().getFirst();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private Delivery sent(byte[] frame, int offset, int length) {
        wire.add(Arrays.copyOfRange(frame, offset, offset + length));
        return Delivery.ACCEPTED;
    }

    private void work() {
        if (working) {
            return;
        }
        working = true;
        for (int round = 0; round < 20; round++) {
            device.poll(RING);
        }
        working = false;
    }

    /** One of the systems that share the device. */
    private abstract class Machine extends DriverMachine {
        Machine(long base, long busOffset) {
            super(bench.memory, base, MEGABYTE, busOffset);
        }

        @Override
        public Clock clock() {
            return () -> nanos;
        }

        @Override
        void others() {
            work();
            for (Machine machine : machines) {
                if (machine != this) {
                    machine.serveInterrupts();
                }
            }
            work();
        }

        @Override
        public void delayNanos(long duration) {
            nanos += duration;
            others();
            serveInterrupts();
        }
    }

    private final class Host extends Machine {
        Host() {
            super(4 * MEGABYTE, 0);
        }

        @Override
        public MessageTarget allocateMessage(InterruptHandler handler) {
            return bench.interrupts.allocate(() -> interrupt(handler));
        }

        @Override
        public long load(long pa, int width) {
            BarTarget target = bench.topology().host().findMemory(pa, width);
            return target == null ? -1 : target.function().readBar(target.bar(), target.offset(pa), width);
        }

        @Override
        public void store(long pa, int width, long value) {
            BarTarget target = bench.topology().host().findMemory(pa, width);
            if (target != null) {
                target.function().writeBar(target.bar(), target.offset(pa), width, value);
            }
            work();
        }
    }

    /** A guest with one virtual function, at 00:03.0 of its own. */
    private final class Guest extends Machine implements ConfigAccess {
        private static final int RID = 3 << 3;

        final int rid;
        final long base;
        final VfioGroup group;
        final VfioContainer container;
        final VfioDevice assigned;
        final AssignedFunction trapped;
        final PciDevice found;
        final NetDriver driver;
        private final List<InterruptHandler> handlers = new ArrayList<>();

        Guest(int index) {
            super((5 + index) * MEGABYTE, GUEST_BUS);
            rid = VF[index];
            base = (5 + index) * MEGABYTE;
            vfio.bind(rid, VfioHost.VFIO_DRIVER);
            group = vfio.openGroup(vfio.groupNumber(rid)).orElseThrow();
            container = vfio.openContainer();
            assertThat(group.setContainer(container)).isEqualTo(Errno.OK);
            assertThat(container.setIommu(VfioContainer.Extension.TYPE1V2)).isEqualTo(Errno.OK);
            assertThat(container.mapDma(
                            (vaddr, size, consumer) -> consumer.run(vaddr, vaddr, size),
                            base,
                            base + GUEST_BUS,
                            MEGABYTE,
                            MapRights.READ_WRITE))
                    .isEqualTo(Errno.OK);
            assigned = group.openDevice(VfioHost.name(rid)).orElseThrow();
            trapped = new AssignedFunction(assigned, new MessageSink(data -> interrupt(handlers.get(data))));
            found = bus(this, 0xD000_0000L).scan().getFirst();
            machines.add(this);
            driver = IgbVfDriver.create(
                    this, found, IgbOptions.virtual().unmoderated().withRings(RING, RING));
            driver.open();
        }

        @Override
        public int read(int at, int offset, int width) {
            return at == RID ? trapped.config().read(offset, width) : -1;
        }

        @Override
        public void write(int at, int offset, int width, int value) {
            if (at == RID) {
                trapped.config().write(offset, width, value);
            }
        }

        @Override
        public MessageTarget allocateMessage(InterruptHandler handler) {
            handlers.add(handler);
            return new MessageTarget(0xFEE0_0000L, handlers.size() - 1);
        }

        @Override
        public long load(long pa, int width) {
            for (int bar : new int[] {0, 3}) {
                long offset = pa - trapped.config().barAddress(bar);
                if (offset >= 0 && offset < 0x4000) {
                    return trapped.readBar(bar, offset, width);
                }
            }
            return -1;
        }

        @Override
        public void store(long pa, int width, long value) {
            for (int bar : new int[] {0, 3}) {
                long offset = pa - trapped.config().barAddress(bar);
                if (offset >= 0 && offset < 0x4000) {
                    trapped.writeBar(bar, offset, width, value);
                }
            }
            work();
        }
    }

    private List<PciDevice> enable() {
        return VirtualFunctions.enable(host, host.bus(config, 0xE000_0000L), function, 2, true);
    }

    private IgbDriver physical() {
        Domain domain = bench.driver.createDomain();
        domain.map(4 * MEGABYTE, 4 * MEGABYTE, MEGABYTE, MapRights.READ_WRITE);
        bench.driver.attach(PF, domain);
        IgbDriver driver = IgbDriver.create(
                host,
                function,
                IgbOptions.physical().unmoderated().withRings(RING, RING).withVirtualFunctions(2));
        driver.open();
        driver.setVirtualMac(0, STATIONS[0]);
        driver.setVirtualMac(1, STATIONS[1]);
        return driver;
    }

    private static byte[] frame(int to, int from) {
        byte[] frame = new byte[100];
        System.arraycopy(STATIONS[to], 0, frame, 0, 6);
        System.arraycopy(STATIONS[from], 0, frame, 6, 6);
        for (int i = 14; i < frame.length; i++) {
            frame[i] = (byte) (i * 7);
        }
        return frame;
    }

    private void send(NetDriver driver, byte[] frame) {
        assertThat(driver.queue(frame, 0, frame.length)).isTrue();
        driver.flush();
        settle();
    }

    private void settle() {
        for (int round = 0; round < 4; round++) {
            work();
            machines.forEach(DriverMachine::serveInterrupts);
        }
    }

    private static List<byte[]> received(NetDriver driver) {
        List<byte[]> frames = new ArrayList<>();
        driver.poll(RING, (frame, offset, length) -> frames.add(Arrays.copyOfRange(frame, offset, offset + length)));
        return frames;
    }

    private List<FaultReport> faults() {
        List<FaultReport> seen = new ArrayList<>();
        bench.driver.handleFaults(seen::add);
        return seen;
    }

    @Test
    @DisplayName("SR-IOV 3.3.3.1, 3.3.3.4: VF Enable and VF MSE decide what answers")
    void shouldRouteToVirtualFunctionsWhileTheyAreEnabled() {
        assertThat(bench.topology().host().function(VF[0])).isNull();
        assertThat(config.read(VF[0], 0x0E, 1)).isEqualTo(0xFF);
        List<PciDevice> virtual = enable();
        PciBar registers = virtual.get(1).memoryBar(0);
        assertThat(config.read(VF[1], 0, 4)).as("3.4.1.1").isEqualTo(-1);
        assertThat(config.read(VF[1], 0x0E, 1)).isZero();
        BarTarget target = bench.topology().host().findMemory(registers.address() + STATUS, 4);
        assertThat(target).isEqualTo(new BarTarget(device.functions().get(2), VF[1], 0, registers.address(), 0x4000));
        config.write(PF, SRIOV_CONTROL, 2, 0x11);
        assertThat(bench.topology().host().findMemory(registers.address() + STATUS, 4))
                .as("without VF MSE")
                .isNull();
        config.write(PF, SRIOV_CONTROL, 2, 0x19);
        assertThat(bench.topology().host().findMemory(registers.address() + STATUS, 4))
                .isNotNull();
        config.write(root.rid(), PORT_CONTROL_2, 2, 0);
        assertThat(bench.topology().host().function(VF[0]))
                .as("no ARI forwarding")
                .isNull();
        config.write(root.rid(), PORT_CONTROL_2, 2, ARI_FORWARDING);
        VirtualFunctions.disable(function);
        assertThat(bench.topology().host().function(VF[0])).isNull();
        assertThat(bench.topology().host().decoded()).allMatch(bar -> bar.function() == device);
    }

    @Test
    @DisplayName("SR-IOV 2.1.2: without ARI they answer on the next bus number, which firmware kept free")
    void shouldRouteToTheNextBus() {
        VirtualFunctions.enable(host, host.bus(config, 0xE000_0000L), function, 2, false);
        assertThat(bench.topology().host().function(PF + 0x180))
                .isSameAs(device.functions().get(1));
        assertThat(bench.topology().host().function(PF + 0x182))
                .isSameAs(device.functions().get(2));
        assertThat(bench.topology().host().function(PF + 0x184)).isNull();
    }

    @Test
    @DisplayName("SR-IOV 3.4.1.1, 3.4.1.11: the user sees ids and BARs that the header lacks")
    void shouldVirtualiseTheHeader() {
        enable();
        physical();
        Guest guest = new Guest(0);
        assertThat(guest.group.members()).as("a group of its own").hasSize(1);
        assertThat(guest.assigned.readRegion(VfioDevice.CONFIG_REGION, 0, 4)).isEqualTo(0x10CA_8086L);
        guest.assigned.writeRegion(VfioDevice.CONFIG_REGION, ConfigSpace.BAR0, 4, -1);
        assertThat(guest.assigned.readRegion(VfioDevice.CONFIG_REGION, ConfigSpace.BAR0, 4))
                .isEqualTo(0xFFFF_C00CL);
        assertThat(guest.assigned.regionInfo(0).orElseThrow().size()).isEqualTo(0x4000);
        assertThat(guest.assigned.regionInfo(3).orElseThrow().sparse())
                .containsExactly(new VfioDevice.Area(0x1000, 0x1000), new VfioDevice.Area(0x3000, 0x1000));
        assertThat(guest.assigned.regionInfo(1).orElseThrow().size()).isZero();
        assertThat(guest.assigned.resetMethod()).isEqualTo("FLR");
        assertThat(guest.found.deviceId()).isEqualTo(Igb82576.VF_DEVICE_ID);
    }

    @Test
    @DisplayName("82576 datasheet 7.10.3: a frame from one guest's function to the other's does not leave the device")
    void shouldCarryTrafficBetweenGuests() {
        enable();
        physical();
        Guest first = new Guest(0);
        Guest second = new Guest(1);
        assertThat(first.driver.macAddress()).isEqualTo(STATIONS[0]);
        assertThat(first.container.domain()).isNotSameAs(second.container.domain());
        send(first.driver, frame(1, 0));
        assertThat(received(second.driver)).hasSize(1).first().isEqualTo(frame(1, 0));
        send(second.driver, frame(0, 1));
        assertThat(received(first.driver)).hasSize(1).first().isEqualTo(frame(0, 1));
        assertThat(wire).isEmpty();
        assertThat(faults()).isEmpty();
    }

    @Test
    @DisplayName("VT-d 7.2.1: a request outside the domain faults under the virtual function's own requester id")
    void shouldFaultWithItsOwnRequesterId() {
        enable();
        physical();
        Guest first = new Guest(0);
        Guest second = new Guest(1);
        first.container.unmapAll();
        send(first.driver, frame(1, 0));
        assertThat(received(second.driver)).isEmpty();
        assertThat(faults()).isNotEmpty().allMatch(fault -> fault.rid() == VF[0]);
        send(second.driver, frame(0, 1));
        assertThat(faults())
                .as("what it sends is written into its receiver's memory, by the receiver's requester id")
                .isNotEmpty()
                .allMatch(fault -> fault.rid() == VF[0]);
    }

    @Test
    @DisplayName("SR-IOV 3.3.3.1: virtual functions that a user has open are not taken away; closed, they are")
    void shouldRefuseToDisableWhatIsOpen() {
        enable();
        physical();
        Guest guest = new Guest(0);
        assertThat(vfio.disableVirtualFunctions(VF[0]))
                .as("no physical function")
                .isEqualTo(Errno.ENODEV);
        assertThat(vfio.disableVirtualFunctions(PF)).isEqualTo(Errno.EPERM);
        assertThat(bench.topology().host().function(VF[1])).as("none has gone").isNotNull();
        guest.assigned.close();
        assertThat(vfio.disableVirtualFunctions(PF)).isEqualTo(Errno.OK);
        assertThat(bench.topology().host().function(VF[0])).isNull();
        assertThat(vfio.driver(VF[0])).isEmpty();
        assertThat(vfio.groupNumber(VF[0])).isEqualTo(-1);
    }

    @Test
    @DisplayName(
            "SR-IOV 3.3.3.1: pulled out under its user, a function reads all ones, and sends and interrupts no more")
    void shouldReadAllOnesOncePulledOut() {
        enable();
        physical();
        Guest guest = new Guest(0);
        Guest other = new Guest(1);
        VfioDevice gone = guest.assigned;
        VirtualFunctions.disable(function);
        assertThat(gone.readRegion(0, STATUS, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(gone.readRegion(3, 0x1000, 4)).isEqualTo(0xFFFF_FFFFL);
        gone.writeRegion(0, STATUS, 4, 0);
        send(guest.driver, frame(1, 0));
        assertThat(received(other.driver)).isEmpty();
        assertThat(wire).isEmpty();
        assertThat(faults()).as("no request has left it").isEmpty();
        assertThat(gone.readRegion(VfioDevice.CONFIG_REGION, 0, 4))
                .as("the user's copy")
                .isEqualTo(0x10CA_8086L);
        assertThat(gone.reset()).isEqualTo(Errno.ENOTTY);
        gone.close();
        assertThat(guest.group.unsetContainer()).isEqualTo(Errno.OK);
        assertThat(guest.group.close()).isEqualTo(Errno.OK);
        assertThat(bench.driver.domainOf(VF[0])).isNull();
        assertThat(enable()).as("and they come back").hasSize(2);
        assertThat(config.read(VF[0], 0x0E, 1)).isZero();
    }

    @Test
    @DisplayName("82576 datasheet 4.5.2.2: giving the function back resets it, and its physical function learns of it")
    void shouldResetOnRelease() {
        enable();
        physical();
        Guest guest = new Guest(0);
        long resets = device.counters().vfResets();
        int reset = 0x0C88;
        long registers = function.memoryBar(0).address();
        assertThat(host.load(registers + reset, 4)).isZero();
        guest.assigned.close();
        assertThat(host.load(registers + reset, 4)).as("VFLRE").isEqualTo(1);
        assertThat(device.counters().vfResets()).isEqualTo(resets + 1);
        assertThat(config.read(VF[0], ConfigSpace.COMMAND, 2) & ConfigSpace.COMMAND_BUS_MASTER)
                .isZero();
        assertThat(guest.group.unsetContainer()).isEqualTo(Errno.OK);
        assertThat(bench.driver.domainOf(VF[0])).isNull();
    }
}

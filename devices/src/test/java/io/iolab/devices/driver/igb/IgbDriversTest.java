package io.iolab.devices.driver.igb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.NetDriver;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.pci.VirtualFunctions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** igb and igbvf on one controller with two virtual functions. */
class IgbDriversTest {
    private static final byte[] PEER = {0x02, 0, 0, 0, 0, 0x77};
    private static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};
    private static final byte[][] ADDRESSES = {{0x02, 0, 0, 0, 1, 0}, {0x02, 0, 0, 0, 1, 1}};
    private static final int BUDGET = 64;

    private final SriovMachine machine = new SriovMachine();
    private final List<List<byte[]>> received = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    private PciDevice function;
    private List<PciDevice> virtualDevices;
    private IgbDriver igb;
    private IgbVfDriver first;
    private IgbVfDriver second;
    private List<NetDriver> drivers;

    @BeforeEach
    void open() {
        PciBus bus = machine.bus();
        function = bus.scan().getFirst();
        virtualDevices = VirtualFunctions.enable(machine, bus, function, 2, true);
        igb = IgbDriver.create(
                machine, function, IgbOptions.physical().unmoderated().withVirtualFunctions(2));
        igb.open();
        for (int vf = 0; vf < 2; vf++) {
            igb.setVirtualMac(vf, ADDRESSES[vf]);
        }
        IgbOptions options = IgbOptions.virtual().unmoderated().withRings(128, 128);
        first = IgbVfDriver.create(machine, virtualDevices.get(0), options);
        second = IgbVfDriver.create(machine, virtualDevices.get(1), options);
        first.open();
        second.open();
        drivers = List.of(first, second, igb);
        settle();
    }

    @AfterEach
    void close() {
        machine.close();
    }

    /** Takes interrupts and polls until nothing is left. */
    private void settle() {
        machine.runDevices();
        for (int round = 0; machine.serviceInterrupts() || round == 0; round++) {
            for (int i = 0; i < drivers.size(); i++) {
                List<byte[]> into = received.get(i);
                while (drivers.get(i)
                                .poll(
                                        BUDGET,
                                        (frame, at, length) -> into.add(Arrays.copyOfRange(frame, at, at + length)))
                        == BUDGET) {
                    // Until it runs dry.
                }
            }
        }
    }

    private static byte[] frame(byte[] destination, byte[] source, long number) {
        SplittableRandom random = new SplittableRandom(number);
        byte[] frame = new byte[random.nextInt(60, 1515)];
        random.nextBytes(frame);
        System.arraycopy(destination, 0, frame, 0, 6);
        System.arraycopy(source, 0, frame, 6, 6);
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        return frame;
    }

    private void send(NetDriver driver, byte[] frame) {
        assertThat(driver.queue(frame, 0, frame.length)).isTrue();
        driver.flush();
    }

    private void arrive(byte[] frame) {
        machine.device.send(frame, 0, frame.length);
        machine.device.poll(BUDGET);
    }

    @Test
    void shouldBringUpAllFunctions() {
        assertThat(virtualDevices).extracting(PciDevice::deviceId).containsOnly(0x10CA);
        assertThat(igb.macAddress()).isEqualTo(SriovMachine.MAC);
        assertThat(first.macAddress()).isEqualTo(ADDRESSES[0]);
        assertThat(second.macAddress()).isEqualTo(ADDRESSES[1]);
        assertThat(first.linkUp()).isTrue();
        assertThat(second.linkUp()).isTrue();
        assertThat(igb.mailboxRefusals()).isZero();
    }

    @Test
    void shouldTalkToTheWireInBothDirections() {
        for (int i = 0; i < 500; i++) {
            byte[] out = frame(PEER, ADDRESSES[0], i);
            send(first, out);
            byte[] in = frame(ADDRESSES[1], PEER, 1000 + i);
            arrive(in);
            settle();
            assertThat(machine.sent.remove()).isEqualTo(out);
            assertThat(received.get(1).removeFirst()).isEqualTo(in);
        }
        assertThat(machine.sent).isEmpty();
        assertThat(received).allMatch(List::isEmpty);
        assertThat(first.transmitsInFlight()).isZero();
    }

    @Test
    void shouldTalkToEachOtherWithoutTheWire() {
        for (int i = 0; i < 500; i++) {
            byte[] there = frame(ADDRESSES[1], ADDRESSES[0], i);
            byte[] back = frame(ADDRESSES[0], ADDRESSES[1], 1000 + i);
            byte[] up = frame(SriovMachine.MAC, ADDRESSES[1], 2000 + i);
            send(first, there);
            send(second, back);
            send(second, up);
            settle();
            assertThat(received.get(1).removeFirst()).isEqualTo(there);
            assertThat(received.get(0).removeFirst()).isEqualTo(back);
            assertThat(received.get(2).removeFirst()).isEqualTo(up);
        }
        assertThat(machine.sent).isEmpty();
    }

    @Test
    void shouldSpreadBroadcastToAllAndTheWire() {
        byte[] frame = frame(BROADCAST, ADDRESSES[0], 1);
        send(first, frame);
        settle();
        assertThat(machine.sent).hasSize(1);
        assertThat(received.get(0)).isEmpty();
        assertThat(received.get(1)).hasSize(1);
        assertThat(received.get(2)).hasSize(1);
    }

    @Test
    void shouldGiveStrangersFramesToThePhysicalFunction() {
        arrive(frame(PEER, BROADCAST, 1));
        settle();
        assertThat(received.get(2)).hasSize(1);
        assertThat(received.get(0)).isEmpty();
    }

    @Test
    @DisplayName("Anti-spoofing: a virtual function cannot send as another, and the PF driver learns which queue tried")
    void shouldDropSpoofedFrames() {
        send(first, frame(PEER, ADDRESSES[1], 1));
        settle();
        assertThat(machine.sent).isEmpty();
        assertThat(igb.spoofEvents()).isEqualTo(1);
        assertThat(igb.spoofedQueues()).isEqualTo(1);
        assertThat(first.transmitsInFlight()).isZero();
        send(first, frame(PEER, ADDRESSES[0], 2));
        assertThat(machine.sent).hasSize(1);
    }

    @Test
    @DisplayName("SET_MAC is refused for a function whose address the PF has fixed")
    void shouldRefuseAnotherAddress() {
        assertThat(first.setMacAddress(PEER)).isFalse();
        assertThat(first.macAddress()).isEqualTo(ADDRESSES[0]);
        assertThat(igb.mailboxRefusals()).isEqualTo(1);
    }

    @Test
    @DisplayName("SET_VLAN: frames of a VLAN reach its members; leaving ends that")
    void shouldJoinAndLeaveVlans() {
        byte[] tagged = frame(ADDRESSES[0], PEER, 3);
        System.arraycopy(new byte[] {(byte) 0x81, 0, 0, 9, 8, 0}, 0, tagged, 12, 6);
        arrive(tagged);
        settle();
        assertThat(received.get(0)).isEmpty();
        assertThat(first.setVlan(9, true)).isTrue();
        arrive(tagged);
        settle();
        assertThat(received.get(0)).hasSize(1);
        assertThat(first.setVlan(9, false)).isTrue();
        arrive(tagged);
        settle();
        assertThat(received.get(0)).hasSize(1);
        assertThat(second.setVlan(9, false)).as("no such VLAN any more").isFalse();
    }

    @Test
    @DisplayName("SET_MULTICAST: hashes of groups, for the function that asked")
    void shouldJoinGroups() {
        byte[] group = {0x01, 0x00, 0x5E, 0x00, 0x12, 0x34};
        arrive(frame(group, PEER, 1));
        settle();
        assertThat(received.get(0)).isEmpty();
        assertThat(first.setMulticast(List.of(group))).isTrue();
        arrive(frame(group, PEER, 1));
        settle();
        assertThat(received.get(0)).hasSize(1);
        assertThat(received.get(1)).isEmpty();
    }

    @Test
    void shouldTakeAnAddressOfItsOwnWhereThePhysicalFunctionAssignsNone() {
        machine.close();
        SriovMachine other = new SriovMachine();
        try (other) {
            PciBus bus = other.bus();
            PciDevice physical = bus.scan().getFirst();
            List<PciDevice> devices = VirtualFunctions.enable(other, bus, physical, 1, false);
            assertThat(devices.getFirst().rid()).isEqualTo(SriovMachine.PHYSICAL + 0x180);
            IgbDriver host =
                    IgbDriver.create(other, physical, IgbOptions.physical().withVirtualFunctions(1));
            host.open();
            IgbVfDriver guest = IgbVfDriver.create(other, devices.getFirst(), IgbOptions.virtual());
            guest.open();
            assertThat(guest.linkUp()).isTrue();
            assertThat(guest.macAddress()[0]).isEqualTo((byte) 2);
            byte[] changed = {0x02, 5, 5, 5, 5, 5};
            assertThat(guest.setMacAddress(changed)).isTrue();
            byte[] out = frame(PEER, changed, 1);
            guest.queue(out, 0, out.length);
            guest.flush();
            assertThat(other.sent).hasSize(1);
        }
    }

    @Test
    @DisplayName("A reset of the physical function: the watchdog sees that CTS is gone and starts over")
    void shouldRecoverFromAResetOfThePhysicalFunction() {
        igb.reset();
        send(first, frame(PEER, ADDRESSES[0], 1));
        assertThat(machine.sent).isEmpty();
        first.watchdog();
        second.watchdog();
        settle();
        assertThat(first.linkUp()).isTrue();
        byte[] frame = frame(ADDRESSES[1], ADDRESSES[0], 2);
        send(first, frame);
        settle();
        assertThat(received.get(1)).hasSize(1);
        assertThat(received.get(1).getFirst()).isEqualTo(frame);
    }

    @Test
    void shouldFollowTheLink() {
        machine.device.setLink(false);
        settle();
        first.watchdog();
        assertThat(first.linkUp()).isFalse();
        machine.device.setLink(true);
        settle();
        first.watchdog();
        assertThat(first.linkUp()).isTrue();
    }

    @Test
    void shouldStayWithinItsRingWhenTheWireIsSlow() {
        byte[] frame = frame(PEER, ADDRESSES[0], 1);
        int queued = 0;
        while (first.queue(frame, 0, frame.length)) {
            queued++;
        }
        assertThat(queued).isEqualTo(127);
        first.flush();
        settle();
        assertThat(machine.sent).hasSize(127);
        assertThat(first.transmitSlots()).isEqualTo(127);
        assertThat(first.doorbells()).isEqualTo(1);
    }

    @Test
    @DisplayName(
            "82576 datasheet 8.8.8: a masked completion keeps its cause, so unmasking it once the ring is full interrupts at once")
    void shouldInterruptForTransmissionsOnlyWhileTheRingIsFullIfAskedTo() {
        byte[] frame = frame(PEER, ADDRESSES[0], 1);
        send(first, frame);
        assertThat(machine.serviceInterrupts()).as("as igbvf has it").isTrue();
        IgbVfDriver quiet = IgbVfDriver.create(
                machine,
                virtualDevices.getFirst(),
                IgbOptions.virtual().unmoderated().withRings(128, 128).withTxInterrupts(false));
        quiet.open();
        machine.serviceInterrupts();
        quiet.poll(BUDGET, (bytes, at, length) -> {});
        send(quiet, frame);
        assertThat(machine.serviceInterrupts()).isFalse();
        while (quiet.queue(frame, 0, frame.length)) {
            // Until the ring is full, of frames that nobody has published.
        }
        assertThat(machine.serviceInterrupts()).isTrue();
        quiet.poll(BUDGET, (bytes, at, length) -> {});
        quiet.flush();
        assertThat(machine.serviceInterrupts()).as("and off again").isFalse();
        assertThat(quiet.queue(frame, 0, frame.length)).isTrue();
    }

    @Test
    void shouldRefuseOtherDevices() {
        assertThatThrownBy(() -> IgbVfDriver.create(machine, function, IgbOptions.virtual()))
                .isInstanceOf(DriverException.class);
        assertThatThrownBy(() -> IgbDriver.create(machine, virtualDevices.getFirst(), IgbOptions.physical()))
                .isInstanceOf(DriverException.class);
        assertThatThrownBy(() -> VirtualFunctions.enable(machine, machine.bus(), function, 9, true))
                .isInstanceOf(DriverException.class);
    }
}

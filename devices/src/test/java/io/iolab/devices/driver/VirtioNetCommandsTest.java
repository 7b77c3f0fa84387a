package io.iolab.devices.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.driver.virtio.NetCommands.ReceiveMode;
import io.iolab.devices.driver.virtio.ReceivedHeader;
import io.iolab.devices.driver.virtio.VirtioFeatures;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.InternetChecksum;
import io.iolab.devices.net.Ipv4;
import io.iolab.devices.net.MacAddress;
import io.iolab.devices.net.PacketHeaders;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;
import io.iolab.devices.net.Udp;
import io.iolab.devices.net.UdpEndpoint;
import io.iolab.devices.spec.Spec;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The virtio-net driver beyond plain frames: offloads, queue pairs, commands (virtio 1.2 section 5.1). */
class VirtioNetCommandsTest {
    private static final byte[] MAC = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    private static final int PAIRS = 4;
    private static final int DEVICE = 3;
    private static final int HEADERS = 54;

    private final TestMachine machine = new TestMachine();
    private final Wire wire = new Wire();
    private final HeaderTap tap = new HeaderTap(machine.dma());
    private final List<byte[]> received = new ArrayList<>();
    private VirtioNet device = device(VirtioNetOptions.defaults(MAC)
            .withFeatures(NetFeatures.USUAL | NetFeatures.OFFLOADS | NetFeatures.HASH_REPORT)
            .withQueuePairs(PAIRS));

    @AfterEach
    void close() {
        machine.close();
    }

    /** Keeps the first bytes of every payload read by the device. */
    private record HeaderTap(DmaPort port, List<byte[]> headers) implements DmaPort {
        HeaderTap(DmaPort port) {
            this(port, new ArrayList<>());
        }

        @Override
        public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
            DmaFault fault = port.read(iova, target, offset, length, kind);
            if (kind == DmaKind.PAYLOAD && length >= 12 && offset == 0) {
                headers.add(Arrays.copyOf(target, 12));
            }
            return fault;
        }

        @Override
        public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
            return port.write(iova, source, offset, length, kind);
        }

        @Override
        public int loadShortAcquire(long iova, DmaKind kind) {
            return port.loadShortAcquire(iova, kind);
        }

        @Override
        public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
            return port.storeShortRelease(iova, value, kind);
        }
    }

    private VirtioNet device(VirtioNetOptions options) {
        return new VirtioNet(options, tap, machine.pin(DEVICE), wire, machine.clock());
    }

    private VirtioNetDriver open(VirtioOptions options) {
        machine.plug(DEVICE << 3, device);
        NetDrivers.Options all =
                new NetDrivers.Options(NetDrivers.Options.defaults().e1000(), options);
        VirtioNetDriver driver = (VirtioNetDriver) NetDrivers.probe(machine, machine.bus(), all);
        driver.open();
        settle(driver);
        tap.headers().clear();
        return driver;
    }

    private void settle(VirtioNetDriver driver) {
        while (machine.serviceInterrupts()) {
            while (driver.poll(64, this::keep) == 64) {}
        }
    }

    private void keep(byte[] frame, int offset, int length) {
        received.add(Arrays.copyOfRange(frame, offset, offset + length));
    }

    private static VirtioOptions everything() {
        return VirtioOptions.defaults().with(VirtioFeatures.OFFLOADS | VirtioFeatures.CONTROL);
    }

    /** A TCP packet over IPv4 whose checksum field has the pseudo-header's sum. */
    private static byte[] tcp(int payload, int port) {
        byte[] packet = new byte[HEADERS + payload];
        new SplittableRandom(payload + port).nextBytes(packet);
        System.arraycopy(MAC, 0, packet, 0, 6);
        System.arraycopy(new byte[] {2, 0, 0, 0, 0, 1, 8, 0}, 0, packet, 6, 8);
        Ipv4.writeHeader(packet, 14, 20 + payload, 7, 6, 0x0A000001, 0x0A000002);
        packet[34] = (byte) (port >>> 8);
        packet[35] = (byte) port;
        packet[46] = 0x50;
        packet[47] = 0x18;
        int pseudo = InternetChecksum.fold(InternetChecksum.pseudoHeader(0x0A000001, 0x0A000002, 6, 20 + payload));
        packet[50] = (byte) (pseudo >>> 8);
        packet[51] = (byte) pseudo;
        return packet;
    }

    private static PacketOffload toBeCut(int size) {
        return new PacketOffload().checksum(34, 16).segments(Segmentation.TCP_IPV4, size, HEADERS, false);
    }

    private static void expectValid(byte[] frame) {
        PacketHeaders headers = new PacketHeaders();
        headers.parse(frame, 0, frame.length);
        assertThat(headers.checksumVerified(frame, 0, frame.length)).isTrue();
        assertThat(headers.end()).isEqualTo(frame.length);
    }

    @Test
    @Spec(id = "D37.2", section = "virtio 1.2 2.2.1")
    @Spec(id = "D46.2", section = "virtio 1.2 5.1.6.2.1")
    @DisplayName("5.1.3.1: no feature is accepted without what it requires")
    void shouldLeaveFeaturesOutWhenPrerequisitesAreMissing() {
        VirtioNetDriver driver =
                open(everything().without(VirtioFeatures.CSUM | VirtioFeatures.GUEST_CSUM | VirtioFeatures.CTRL_VQ));
        assertThat(driver.features() & (VirtioFeatures.OFFLOADS | VirtioFeatures.CONTROL))
                .isZero();
        assertThatThrownBy(driver::commands).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> driver.queue(new byte[100], 0, 100, toBeCut(10)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @EnumSource(VirtioOptions.HeaderPlacement.class)
    @Spec(id = "D46.1", section = "virtio 1.2 5.1.6.2.1")
    @Spec(id = "D46.2", section = "virtio 1.2 5.1.6.2.1")
    @DisplayName("5.1.6.2.1: the header says what is to be done, num_buffers is 0; packets of any length up to 64 KiB")
    void shouldSendLargePacketsWhenNegotiated(VirtioOptions.HeaderPlacement placement) {
        VirtioNetDriver driver = open(everything().withHeader(placement));
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 200; i++) {
            int payload = random.nextInt(1, 65_000);
            byte[] packet = tcp(payload, i);
            tap.headers().clear();
            assertThat(driver.queue(packet, 0, packet.length, toBeCut(1448))).isTrue();
            driver.flush();
            byte[] header = tap.headers().get(0);
            assertThat(header).containsExactly(1, 1, 54, 0, 0xA8, 5, 34, 0, 16, 0, 0, 0);
            assertThat(wire.taken()).hasSize((payload + 1447) / 1448);
            byte[] together = new byte[payload];
            int at = 0;
            for (byte[] frame : wire.taken()) {
                expectValid(frame);
                System.arraycopy(frame, HEADERS, together, at, frame.length - HEADERS);
                at += frame.length - HEADERS;
            }
            assertThat(together).isEqualTo(Arrays.copyOfRange(packet, HEADERS, packet.length));
            wire.taken().clear();
            byte[] plain = Wire.frame(MAC, i);
            tap.headers().clear();
            assertThat(driver.queue(plain, 0, plain.length)).isTrue();
            driver.flush();
            assertThat(tap.headers().get(0)).as("a slot used again").containsOnly(0);
            assertThat(wire.taken().remove()).isEqualTo(plain);
        }
        settle(driver);
        driver.poll(64, this::keep);
        assertThat(driver.transmitsInFlight()).isZero();
    }

    @Test
    @Spec(id = "D46.1", section = "virtio 1.2 5.1.6.2.1")
    @DisplayName("5.1.6.2.1: without CSUM the whole header is 0")
    void shouldLeaveHeaderZeroWithoutChecksumOffload() {
        VirtioNetDriver driver = open(VirtioOptions.defaults());
        byte[] frame = Wire.frame(MAC, 1);
        driver.queue(frame, 0, frame.length);
        driver.flush();
        assertThat(tap.headers().get(0)).containsOnly(0);
        assertThatThrownBy(() -> driver.queue(frame, 0, 60, new PacketOffload().checksum(34, 16)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @DisplayName("a ring full of large packets refuses, and its interrupt says when there is room for another")
    void shouldWaitForRoomWhenPacketsAreLarge() {
        VirtioNetDriver driver = open(everything());
        wire.busy = true;
        byte[] packet = tcp(60_000, 1);
        int queued = 0;
        while (driver.queue(packet, 0, packet.length, toBeCut(9000))) {
            queued++;
        }
        driver.flush();
        assertThat(queued).isEqualTo(256 / 30);
        settle(driver);
        assertThat(driver.queue(packet, 0, packet.length, toBeCut(9000))).isFalse();
        wire.busy = false;
        machine.runDevices();
        assertThat(machine.interruptPending()).isTrue();
        settle(driver);
        assertThat(driver.queue(packet, 0, packet.length, toBeCut(9000))).isTrue();
    }

    @Test
    @DisplayName("5.1.6.4: the driver tells what the header of a received packet said")
    void shouldTellOfReceivedHeader() {
        VirtioNetDriver driver = open(everything());
        byte[] packet = tcp(60_000, 9);
        List<String> told = new ArrayList<>();
        assertThat(device.send(packet, 0, packet.length, toBeCut(1448))).isEqualTo(Delivery.ACCEPTED);
        byte[] datagram = new byte[Udp.PAYLOAD_IN_FRAME + 100];
        UdpEndpoint station = new UdpEndpoint(MacAddress.get(MAC, 0), 0x0A000001, 7);
        Udp.build(datagram, 0, station, station, 100, 1);
        device.send(datagram, 0, datagram.length);
        datagram[60]++;
        device.send(datagram, 0, datagram.length);
        device.poll(1);
        machine.serviceInterrupts();
        driver.poll(64, (frame, offset, length) -> {
            ReceivedHeader header = driver.received();
            told.add(length + " " + header.checksumVerified() + " "
                    + header.offload().segmentation() + " " + header.offload().segmentSize() + " "
                    + header.offload().checksumStart());
        });
        assertThat(told)
                .containsExactly(packet.length + " false TCP_IPV4 1448 34", "142 true NONE 0 0", "142 false NONE 0 0");
        assertThat(driver.commands().guestOffloads(0)).isTrue();
        device.send(packet, 0, packet.length, toBeCut(1448));
        device.poll(1);
        settle(driver);
        assertThat(received).hasSize(42);
    }

    @Test
    @DisplayName("5.1.6.4.3: hashes of received packets")
    void shouldTellHashWhenReported() {
        VirtioNetDriver driver = open(everything().with(VirtioFeatures.HASH_REPORT));
        byte[] key = HexFormat.of()
                .parseHex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");
        assertThat(driver.commands().hash(3, key)).isTrue();
        byte[] packet = tcp(10, 2794);
        System.arraycopy(new byte[] {66, 9, (byte) 149, (byte) 187, (byte) 161, (byte) 142, 100, 80}, 0, packet, 26, 8);
        packet[36] = 1766 >>> 8;
        packet[37] = (byte) 1766;
        device.send(packet, 0, packet.length);
        device.poll(1);
        machine.serviceInterrupts();
        int[] told = new int[2];
        driver.poll(64, (frame, offset, length) -> {
            told[0] = driver.received().hash();
            told[1] = driver.received().hashType();
            keep(frame, offset, length);
        });
        assertThat(told).containsExactly(0x51ccc178, 2);
        assertThat(received).containsExactly(packet);
        byte[] plain = Wire.frame(MAC, 1);
        driver.queue(plain, 0, plain.length);
        driver.flush();
        assertThat(wire.taken()).containsExactly(plain);
    }

    @Test
    @DisplayName("5.1.6.5.1 to 5.1.6.5.3: receive modes, MAC table, station address, VLAN ids")
    void shouldFilterAsCommanded() {
        VirtioNetDriver driver = open(everything());
        MacAddress other = MacAddress.parse("02:00:00:00:00:07");
        MacAddress group = MacAddress.parse("01:00:5e:00:00:07");
        assertThat(driver.commands().receiveMode(ReceiveMode.PROMISCUOUS, false))
                .isTrue();
        assertThat(deliver(driver, other)).isFalse();
        assertThat(driver.commands().macTable(List.of(other), List.of(group))).isTrue();
        assertThat(deliver(driver, other)).isTrue();
        assertThat(deliver(driver, group)).isTrue();
        assertThat(driver.commands().receiveMode(ReceiveMode.NO_MULTICAST, true))
                .isTrue();
        assertThat(deliver(driver, group)).isFalse();
        assertThat(driver.commands().macTable(List.of(), List.of())).isTrue();
        assertThat(deliver(driver, other)).isFalse();
        assertThat(driver.changeMacAddress(other)).isTrue();
        assertThat(driver.macAddress()).isEqualTo(other.toBytes());
        assertThat(deliver(driver, other)).isTrue();
        assertThat(driver.changeMacAddress(group)).as("the device refuses").isFalse();
        assertThat(driver.macAddress()).isEqualTo(other.toBytes());
        assertThat(driver.commands().vlan(5, true)).isTrue();
        assertThatThrownBy(() -> driver.commands().vlan(4096, true)).isInstanceOf(IllegalArgumentException.class);
    }

    private boolean deliver(VirtioNetDriver driver, MacAddress to) {
        received.clear();
        byte[] frame = Wire.frame(to.toBytes(), 1);
        device.send(frame, 0, frame.length);
        device.poll(1);
        settle(driver);
        return !received.isEmpty();
    }

    @Test
    @DisplayName("5.1.6.5.4: a request to announce is acknowledged")
    void shouldAcknowledgeAnnouncement() {
        VirtioNetDriver driver = open(everything());
        assertThat(device.requestAnnouncement()).isTrue();
        settle(driver);
        assertThat(driver.announcements()).isEqualTo(1);
        assertThat(device.readBar(4, 0x2006, 2)).isEqualTo(1);
        device.setLink(false);
        settle(driver);
        assertThat(driver.announcements()).isEqualTo(1);
        assertThat(driver.linkUp()).isFalse();
    }

    @Test
    @DisplayName(
            "5.1.6.5: a device that does not answer a command ends the use of the control queue, not the driver's patience")
    void shouldGiveUpWhenControlQueueIsSilent() {
        VirtioNetDriver driver = open(everything());
        device.config().write(4, 2, 2);
        assertThat(driver.commands().receiveMode(ReceiveMode.PROMISCUOUS, false))
                .isFalse();
        device.config().write(4, 2, 6);
        assertThat(driver.commands().receiveMode(ReceiveMode.PROMISCUOUS, false))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    @Spec(id = "D46.3", section = "virtio 1.2 5.1.6.5.6.1")
    @DisplayName("5.1.6.5.5: pairs that both have are used, each flow on one, and none is kicked that is not in use")
    void shouldSpreadFlowsOverPairs(int wanted) {
        VirtioNetDriver driver = open(everything().withQueuePairs(wanted));
        int pairs = Math.min(wanted, PAIRS);
        assertThat(driver.queuePairs()).isEqualTo(pairs);
        assertThat(driver.queuePairsInUse()).isEqualTo(pairs);
        sendFlows(driver);
        for (int i = 0; i < PAIRS; i++) {
            boolean kicked = device.counters().kicks(2 * i + 1) > 0;
            assertThat(kicked).as("pair %d", i).isEqualTo(i < pairs);
        }
        for (int i = 0; i < 64; i++) {
            byte[] frame = tcp(100, i);
            device.send(frame, 0, frame.length);
        }
        device.poll(64);
        settle(driver);
        assertThat(received).hasSize(64);
        if (pairs > 1) {
            assertThat(driver.usePairs(1)).isTrue();
            long kicks = device.counters().kicks(3);
            sendFlows(driver);
            assertThat(device.counters().kicks(3)).isEqualTo(kicks);
        }
        assertThat(device.counters().kicksDisabled())
                .as("no kicks of queues not in use")
                .isZero();
    }

    private void sendFlows(VirtioNetDriver driver) {
        for (int i = 0; i < 64; i++) {
            byte[] frame = tcp(100, i);
            assertThat(driver.queue(frame, 0, frame.length)).isTrue();
        }
        driver.flush();
        assertThat(wire.taken()).hasSize(64);
        wire.taken().clear();
    }

    @Test
    @DisplayName("a budget is shared by all pairs, and nothing is left behind")
    void shouldDeliverFromAllPairsWithinBudget() {
        VirtioNetDriver driver = open(everything().withQueuePairs(4));
        for (int i = 0; i < 100; i++) {
            byte[] frame = tcp(100, i);
            assertThat(device.send(frame, 0, frame.length)).isEqualTo(Delivery.ACCEPTED);
        }
        device.poll(64);
        machine.serviceInterrupts();
        int polls = 0;
        while (driver.poll(7, this::keep) == 7) {
            polls++;
        }
        assertThat(polls).isEqualTo(14);
        settle(driver);
        assertThat(received).hasSize(100);
    }

    @Test
    @DisplayName("2.6.1: queues of any pair can be reset, and go on")
    void shouldResetQueuesOfAnyPair() {
        device = device(VirtioNetOptions.defaults(MAC)
                .withFeatures(NetFeatures.USUAL | 1L << 40)
                .withQueuePairs(PAIRS));
        VirtioNetDriver driver =
                open(everything().with(VirtioFeatures.RING_RESET).withQueuePairs(4));
        for (int pair = 0; pair < 4; pair++) {
            driver.resetTransmitQueue(pair);
            driver.resetReceiveQueue(pair);
        }
        sendFlows(driver);
        for (int i = 0; i < 64; i++) {
            byte[] frame = tcp(100, i);
            device.send(frame, 0, frame.length);
        }
        device.poll(64);
        settle(driver);
        assertThat(received).hasSize(64);
    }
}

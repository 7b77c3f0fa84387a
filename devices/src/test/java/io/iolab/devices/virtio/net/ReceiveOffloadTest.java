package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;
import io.iolab.devices.spec.Spec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checksums and large packets on their way to the driver, virtio 1.2 sections 5.1.6.3 and 5.1.6.4. */
class ReceiveOffloadTest {
    private static final int CTRL = 2;
    private static final long GUEST_CSUM = 1L << 1;
    private static final long CTRL_GUEST_OFFLOADS = 1L << 2;
    private static final long GUEST_TSO4 = 1L << 7;
    private static final long GUEST_TSO6 = 1L << 8;
    private static final long GUEST_ECN = 1L << 9;
    private static final long CTRL_VQ = 1L << 17;
    private static final long USO = 1L << 54 | 1L << 55;
    private static final long ALL = GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN | USO;

    private final Lab lab = new Lab(
            VirtioNetOptions.defaults(Lab.MAC)
                    .withFeatures(NetFeatures.OFFLOADS | NetFeatures.CTRL_GUEST_OFFLOADS | NetFeatures.CTRL_VQ),
            (l, dma) -> dma);

    private final List<byte[]> received = new ArrayList<>();
    private long area;
    private int reaped;

    @AfterEach
    void close() {
        lab.close();
    }

    private void start(long features) {
        lab.negotiate(features | Lab.MRG | CTRL_VQ);
        lab.enableQueue(Lab.RX, 64);
        lab.enableQueue(Lab.TX, 16);
        lab.enableQueue(CTRL, 16);
        lab.status(0xF);
        lab.device.poll(1);
        area = lab.allocate(64 * 2048, 16);
        reaped = 0;
        for (int i = 0; i < 64; i++) {
            lab.rings[Lab.RX].add(area + 2048L * i, 2048, 2);
        }
    }

    /** Reads received packets, header in front, and gives their buffers back. */
    private List<byte[]> received() {
        received.clear();
        while (reaped != lab.rings[Lab.RX].usedIdx()) {
            int buffers = lab.ram.readShort(area + 2048L * (reaped % 64) + 10);
            byte[] packet = {};
            for (int i = 0; i < buffers; i++, reaped++) {
                int length = (int) lab.rings[Lab.RX].usedLength(reaped);
                byte[] part = lab.bytes(area + 2048L * (reaped % 64), length);
                packet = Arrays.copyOf(packet, packet.length + length);
                System.arraycopy(part, 0, packet, packet.length - length, length);
                lab.rings[Lab.RX].offer(reaped % 64);
            }
            received.add(packet);
        }
        lab.rings[Lab.RX].publish();
        return received;
    }

    private static byte[] frame(byte[] packet) {
        return Arrays.copyOfRange(packet, 12, packet.length);
    }

    private static PacketOffload offload(PacketOracle oracle, int size) {
        Segmentation kind = oracle.udp ? Segmentation.UDP : oracle.v6 ? Segmentation.TCP_IPV6 : Segmentation.TCP_IPV4;
        PacketOffload offload = new PacketOffload().checksum(oracle.transport(), oracle.checksumOffset());
        boolean congestion = !oracle.udp && (oracle.flags & PacketOracle.CWR) != 0;
        return size == 0 ? offload : offload.segments(kind, size, oracle.headers(), congestion);
    }

    private Delivery arrive(byte[] packet, PacketOffload offload) {
        return lab.device.send(packet, 0, packet.length, offload);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    @Spec(id = "V27.6", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName(
            "5.1.6.4.1: DATA_VALID says that the checksum was verified, and is never set for a wrong or missing one")
    void shouldSetDataValidOnlyWhenChecksumIsRight(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        start(GUEST_CSUM);
        for (int i = 0; i < 300; i++) {
            PacketOracle oracle = new PacketOracle(random);
            oracle.v6 = random.nextBoolean();
            oracle.udp = random.nextBoolean();
            oracle.tags = random.nextInt(3);
            oracle.ipOptions = oracle.v6 ? 8 * random.nextInt(3) : 4 * random.nextInt(3);
            byte[] packet = oracle.build(random.nextInt(1000), true);
            boolean damaged = random.nextBoolean();
            if (damaged) {
                packet[random.nextInt(oracle.transport() + (oracle.udp ? 6 : 13), packet.length)] ^=
                        (byte) random.nextInt(1, 256);
            }
            byte[] padded = random.nextBoolean() ? packet : Arrays.copyOf(packet, packet.length + 5);
            assertThat(lab.arrive(padded)).isEqualTo(Delivery.ACCEPTED);
            byte[] got = received().get(0);
            int flags = !damaged ? 2 : 0;
            assertThat(Header.read(got)).as("seed %d, %d", seed, i).isEqualTo(new Header(flags, 0, 0, 0, 0, 0, 1));
            assertThat(frame(got)).isEqualTo(padded);
        }
    }

    @Test
    @Spec(id = "V27.4", section = "virtio 1.2 5.1.6.4.1")
    @Spec(id = "V27.6", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName(
            "5.1.6.4.1: nothing is verified of other frames, fragments, datagrams without checksum, or at all without GUEST_CSUM")
    void shouldLeaveFlagsZeroWhenThereIsNothingToVerify() {
        start(GUEST_CSUM);
        PacketOracle oracle = new PacketOracle(new SplittableRandom(1));
        oracle.udp = true;
        byte[] without = oracle.build(100, true);
        PacketOracle.put16(without, 40, 0);
        byte[] fragment = oracle.build(100, true);
        fragment[20] = 0x20;
        byte[] tooLong = oracle.build(100, true);
        PacketOracle.put16(tooLong, 16, 1500);
        for (byte[] packet : new byte[][] {without, fragment, tooLong, Lab.frame(60, 1), Lab.frame(14, 8)}) {
            lab.arrive(packet);
            assertThat(received().get(0)[0]).isZero();
        }
        start(0);
        lab.arrive(oracle.build(100, true));
        assertThat(received().get(0)[0]).isZero();
        assertThat(lab.device.counters().rxChecksumsVerified()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "true,false", "false,true", "true,true"})
    @Spec(id = "V27.5", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName("5.1.6.4.1: a large packet goes to a driver that takes it as it is, with all fields of its header")
    void shouldPassLargePacketOnWhenNegotiated(boolean v6, boolean udp) {
        start(ALL);
        PacketOracle oracle = new PacketOracle(new SplittableRandom(9));
        oracle.v6 = v6;
        oracle.udp = udp;
        oracle.flags = PacketOracle.ACK | PacketOracle.CWR;
        byte[] packet = oracle.build(65_000, false);
        PacketOffload offload = offload(oracle, 1400);
        assertThat(lab.device.takes(offload)).isTrue();
        assertThat(arrive(packet, offload)).isEqualTo(Delivery.ACCEPTED);
        List<byte[]> got = received();
        assertThat(got).hasSize(1);
        int buffers = (packet.length + 12 + 2047) / 2048;
        Header expected = Header.segments(oracle, 1400);
        assertThat(Header.read(got.get(0)))
                .isEqualTo(new Header(
                        1,
                        expected.gsoType(),
                        expected.hdrLen(),
                        1400,
                        expected.csumStart(),
                        expected.csumOffset(),
                        buffers));
        assertThat(frame(got.get(0))).isEqualTo(packet);
        lab.arrive(Lab.frame(60, 1));
        assertThat(Header.read(received().get(0)))
                .as("the next header is clean")
                .isEqualTo(new Header(0, 0, 0, 0, 0, 0, 1));
    }

    @ParameterizedTest
    @CsvSource({"0,0", "2,2", "386,2"})
    @Spec(id = "V27.4", section = "virtio 1.2 5.1.6.4.1")
    @Spec(id = "V27.5", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName("5.1.6.4.1: a kind that was not negotiated, or CWR without GUEST_ECN, is cut on the way in")
    void shouldCutPacketWhenDriverDoesNotTakeIt(long features, int flags) {
        start(features);
        PacketOracle oracle = new PacketOracle(new SplittableRandom(9));
        oracle.flags = PacketOracle.ACK | PacketOracle.CWR;
        byte[] packet = oracle.build(5000, false);
        byte[] kept = packet.clone();
        assertThat(lab.device.takes(offload(oracle, 1000))).isFalse();
        assertThat(arrive(packet, offload(oracle, 1000))).isEqualTo(Delivery.ACCEPTED);
        assertThat(packet).as("the sender's bytes stay").isEqualTo(kept);
        List<byte[]> got = received();
        assertThat(got).hasSize(5);
        for (int i = 0; i < 5; i++) {
            assertThat(Header.read(got.get(i))).isEqualTo(new Header(flags, 0, 0, 0, 0, 0, 1));
            PacketOracle.Parsed parsed = PacketOracle.parse(frame(got.get(i)));
            assertThat(Arrays.copyOfRange(frame(got.get(i)), parsed.payload(), parsed.end()))
                    .isEqualTo(Arrays.copyOfRange(packet, 54 + 1000 * i, 54 + 1000 * (i + 1)));
        }
        assertThat(lab.device.counters().rxPacketsCut()).isEqualTo(1);
    }

    @Test
    @Spec(id = "V27.4", section = "virtio 1.2 5.1.6.4.1")
    @DisplayName("5.1.6.4.1: an unfinished checksum is passed on with GUEST_CSUM, finished without")
    void shouldFinishChecksumWhenDriverDoesNotTakeIt() {
        PacketOracle oracle = new PacketOracle(new SplittableRandom(2));
        oracle.udp = true;
        byte[] packet = oracle.build(333, false);
        start(GUEST_CSUM);
        arrive(packet, offload(oracle, 0));
        byte[] got = received().get(0);
        assertThat(Header.read(got)).isEqualTo(new Header(1, 0, 0, 0, 34, 6, 1));
        assertThat(frame(got)).isEqualTo(packet);
        start(0);
        arrive(packet, offload(oracle, 0));
        got = received().get(0);
        assertThat(Header.read(got)).isEqualTo(new Header(0, 0, 0, 0, 0, 0, 1));
        PacketOracle.parse(frame(got));
        assertThat(lab.device.counters().rxChecksumsFinished()).isEqualTo(1);
    }

    @Test
    @DisplayName("5.1.6.5.6: GUEST_OFFLOADS_SET switches among what was negotiated")
    void shouldSwitchOffloadsWhenToldTo() {
        start(ALL & ~USO & ~GUEST_TSO6 | CTRL_GUEST_OFFLOADS);
        ControlPort control = new ControlPort(lab, CTRL);
        PacketOracle oracle = new PacketOracle(new SplittableRandom(2));
        assertThat(lab.device.takes(offload(oracle, 1000))).isTrue();
        assertThat(control.send(5, 0, 2, 0, 0, 0, 0, 0, 0, 0)).isEqualTo(ControlPort.OK);
        assertThat(lab.device.takes(offload(oracle, 1000))).isFalse();
        assertThat(lab.device.takes(offload(oracle, 0))).isTrue();
        assertThat(control.send(5, 0, 2, 1, 0, 0, 0, 0, 0, 0))
                .as("not negotiated")
                .isEqualTo(ControlPort.ERR);
        assertThat(control.send(5, 0, 0x80, 0, 0, 0, 0, 0, 0, 0))
                .as("without GUEST_CSUM")
                .isEqualTo(ControlPort.ERR);
        assertThat(control.send(5, 0, 3, 0, 0, 0, 0, 0, 0, 0))
                .as("no guest offload")
                .isEqualTo(ControlPort.ERR);
        assertThat(lab.device.takes(offload(oracle, 0))).isTrue();
        assertThat(control.send(5, 0, 0, 0, 0, 0, 0, 0, 0, 0)).isEqualTo(ControlPort.OK);
        assertThat(lab.device.takes(offload(oracle, 0))).isFalse();
        lab.arrive(oracle.build(10, true));
        assertThat(received().get(0)[0]).as("no DATA_VALID either").isZero();
        assertThat(control.send(5, 0, 0x82, 2, 0, 0, 0, 0, 0, 0)).isEqualTo(ControlPort.OK);
        assertThat(lab.device.takes(offload(oracle, 1000))).isTrue();
    }

    @Test
    @DisplayName("STYLE 11: offloads that make no sense lose their packet; a wire can send anything")
    void shouldDropPacketWhenOffloadIsMalformed() {
        start(ALL);
        byte[] frame = Lab.frame(60, 1);
        PacketOffload offload = new PacketOffload();
        assertThat(arrive(frame, offload.clear().checksum(59, 0))).isEqualTo(Delivery.DROPPED);
        assertThat(arrive(frame, offload.clear().checksum(0, 2))).isEqualTo(Delivery.DROPPED);
        assertThat(arrive(frame, offload.clear().segments(Segmentation.TCP_IPV4, 100, 54, false)))
                .isEqualTo(Delivery.DROPPED);
        assertThat(arrive(frame, offload.clear().checksum(34, 16).segments(Segmentation.TCP_IPV4, 0, 54, false)))
                .isEqualTo(Delivery.DROPPED);
        assertThat(arrive(new byte[13], offload.clear().checksum(34, 16))).isEqualTo(Delivery.DROPPED);
        assertThat(arrive(new byte[16385], offload.clear().checksum(34, 16))).isEqualTo(Delivery.DROPPED);
        offload.segments(Segmentation.TCP_IPV4, 100, 54, false);
        assertThat(arrive(new byte[65598], offload)).isEqualTo(Delivery.DROPPED);
        start(0);
        assertThat(arrive(frame, offload)).as("to be cut, and no TCP packet").isEqualTo(Delivery.DROPPED);
        assertThat(arrive(frame, offload.clear())).as("nothing to do").isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.device.counters().rxOffloadDrops()).isEqualTo(5);
        assertThat(lab.device.counters().rxSizeDrops()).isEqualTo(3);
    }

    @Test
    @DisplayName(
            "OffloadPort: BUSY means that nothing was taken; segments behind the first are lost when buffers run out")
    void shouldAnswerForFirstSegmentWhenBuffersRunOut() {
        start(0);
        PacketOracle oracle = new PacketOracle(new SplittableRandom(2));
        byte[] packet = oracle.build(62_000, false);
        assertThat(arrive(packet, offload(oracle, 1000))).isEqualTo(Delivery.ACCEPTED);
        assertThat(arrive(packet, offload(oracle, 1000)))
                .as("two buffers are left")
                .isEqualTo(Delivery.ACCEPTED);
        assertThat(lab.device.counters().rxSegmentDrops()).isEqualTo(60);
        assertThat(arrive(packet, offload(oracle, 1000))).isEqualTo(Delivery.BUSY);
    }

    @ParameterizedTest
    @CsvSource({"true,true", "true,false", "false,true"})
    @DisplayName("OffloadPort: two devices whose wires are each other exchange 64 KiB uncut if the receiver takes it")
    void shouldHandLargePacketsOverWhenPeerTakesThem(boolean taken, boolean large) {
        start(taken ? ALL : 0);
        Lab sender = new Lab(
                VirtioNetOptions.defaults(Lab.MAC).withFeatures(NetFeatures.OFFLOADS), (l, dma) -> dma, lab.device);
        sender.start(NetFeatures.CSUM | NetFeatures.HOST_TSO4, 16);
        PacketOracle oracle = new PacketOracle(new SplittableRandom(2));
        byte[] packet = oracle.build(large ? 60_000 : 100, false);
        Header header =
                large ? Header.segments(oracle, 1000) : Header.checksum(oracle.transport(), oracle.checksumOffset());
        byte[] bytes = header.inFrontOf(packet);
        sender.ram.write(4 << 20, bytes, 0, bytes.length);
        sender.rings[Lab.TX].add(4 << 20, bytes.length, 0);
        sender.kick(Lab.TX);
        while (sender.device.workPending() && sender.device.poll(64) > 0) {}
        List<byte[]> got = received();
        assertThat(got).hasSize(taken || !large ? 1 : 60);
        if (taken) {
            assertThat(frame(got.get(0))).isEqualTo(packet);
            assertThat(got.get(0)[0]).isEqualTo((byte) 1);
            assertThat(sender.device.counters().txOffloadsPassedOn()).isEqualTo(1);
        } else {
            got.forEach(each -> PacketOracle.parse(frame(each)));
            assertThat(sender.device.counters().txPacketsCut()).isEqualTo(1);
        }
        sender.close();
    }
}

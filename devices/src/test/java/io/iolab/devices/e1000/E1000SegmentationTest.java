package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static io.iolab.devices.e1000.TestFrames.context;
import static io.iolab.devices.e1000.TestFrames.onesSum;
import static io.iolab.devices.e1000.TestFrames.tcpFrame;
import static io.iolab.devices.e1000.TestFrames.transportSum;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** 82540 SDM 3.5.1 to 3.5.7: TCP segmentation. */
class E1000SegmentationTest {
    private static final int TSE = 1 << 2;
    private static final int TCP = 1;
    private static final int IPV4 = 2;
    private static final int HEADER = 54;
    private Bench bench;

    @BeforeEach
    void open() {
        open(E1000Model.I82540EM);
    }

    private void open(E1000Model model) {
        bench = new Bench(model);
        bench.openTransmit(16);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private static long parameters(int payload, int command, int header, int mss) {
        return payload | (long) (command | TSE | DEXT) << 24 | (long) header << 40 | (long) mss << 48;
    }

    /** A packet of {@code payload} bytes: FIN, PSH and ACK set, sequence number 1, identification FFFFh. */
    private byte[] packet(int payload) {
        byte[] packet = tcpFrame(payload);
        packet[18] = (byte) 0xFF;
        packet[19] = (byte) 0xFF;
        packet[47] = 0x19;
        // The pseudo header's sum without the length, which hardware adds (3.5.4).
        int pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 6;
        packet[50] = (byte) (pseudo >> 8);
        packet[51] = (byte) pseudo;
        bench.ram.write(TX_BUFFERS, packet, 0, packet.length);
        return packet;
    }

    private void contextFor(int payload, int mss) {
        bench.describe(0, context(14, 24, 33, 34, 50, 0), parameters(payload, TCP | IPV4, HEADER, mss));
    }

    private void send(int payload, int mss) {
        byte[] packet = packet(payload);
        contextFor(payload, mss);
        bench.describe(1, TX_BUFFERS, data(HEADER, TSE | IFCS, 3, 0));
        bench.describe(2, TX_BUFFERS + HEADER, data(packet.length - HEADER, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 3;
        bench.kick();
    }

    @ParameterizedTest
    @CsvSource({"16230,2", "16231,0", "0,0"})
    @DisplayName(
            "3.3.3: header and MSS may make a packet of 16288 bytes with its FCS; more than that is not cut, nor is MSS 0")
    void shouldAcceptTheLargestSegment(int mss, int frames) {
        send(16240, mss);
        assertThat(bench.sent).hasSize(frames);
        if (frames > 0) {
            assertThat(bench.sent.get(0)).hasSize(16284);
            assertThat(bench.sent.get(1)).hasSize(64);
        }
    }

    @Test
    @DisplayName("3.5.2: PAYLEN ends the packet, FIN and PSH with it; what descriptors bring beyond it is ignored")
    void shouldEndAtPayloadLength() {
        packet(2600);
        contextFor(2500, 1000);
        bench.describe(1, TX_BUFFERS, data(HEADER, TSE | IFCS, 3, 0));
        bench.describe(2, TX_BUFFERS + HEADER, data(2600, TSE | IFCS | RS, 3, 0));
        bench.describe(3, TX_BUFFERS + HEADER, data(100, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 4;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 1054, 554);
        assertThat(bench.sent).extracting(frame -> frame[47]).containsExactly((byte) 0x10, (byte) 0x10, (byte) 0x19);
    }

    @ParameterizedTest
    @EnumSource(E1000Model.class)
    @DisplayName("MSS 1000, 2500 bytes: frames of 1054, 1054 and 554 bytes, each with its own headers and checksums")
    void shouldCutIntoSegments(E1000Model model) {
        bench.close();
        open(model);
        byte[] packet = packet(2500);
        send(2500, 1000);
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 1054, 554);
        for (int k = 0; k < 3; k++) {
            byte[] segment = bench.sent.get(k);
            assertThat(word(segment, 16)).as("total length").isEqualTo(segment.length - 14);
            assertThat(word(segment, 18)).as("identification wraps").isEqualTo(0xFFFF + k & 0xFFFF);
            assertThat(word(segment, 38) << 16 | word(segment, 40))
                    .as("sequence")
                    .isEqualTo(1 + 1000 * k);
            assertThat(segment[47]).as("FIN and PSH in the last").isEqualTo((byte) (k == 2 ? 0x19 : 0x10));
            assertThat(onesSum(segment, 14, 34)).as("IP checksum").isEqualTo(0xFFFF);
            assertThat(transportSum(segment)).as("TCP checksum").isEqualTo(0xFFFF);
            assertThat(Arrays.copyOfRange(segment, HEADER, segment.length))
                    .isEqualTo(Arrays.copyOfRange(packet, HEADER + 1000 * k, HEADER + Math.min(2500, 1000 * (k + 1))));
        }
        assertThat(bench.read(0x40F8)).as("TSCTC").isEqualTo(1);
        assertThat(bench.read(0x40FC)).as("TSCTFC").isZero();
        assertThat(bench.read(0x40D4)).as("TPT").isEqualTo(3);
        assertThat(bench.txStatus(2)).isEqualTo(1);
        assertThat(bench.txStatus(1)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"1,1000,1", "999,1000,1", "1000,1000,1", "1001,1000,2", "3000,1000,3", "64000,1460,44"})
    @DisplayName("There are ceil(PAYLEN / MSS) segments, the last one alone with FIN and PSH")
    void shouldCountSegments(int payload, int mss, int segments) {
        send(payload, mss);
        assertThat(bench.sent).hasSize(segments);
        assertThat(bench.sent.stream().filter(frame -> (frame[47] & 9) == 9)).hasSize(1);
        assertThat(bench.sent.getLast()[47] & 9).isEqualTo(9);
        int total = bench.sent.stream().mapToInt(frame -> word(frame, 16) - 40).sum();
        assertThat(total).isEqualTo(payload);
    }

    @Test
    @DisplayName("Descriptors may cut header and payload anywhere")
    void shouldGatherFromOddPieces() {
        byte[] packet = packet(2500);
        contextFor(2500, 1000);
        int[] cuts = {0, 1, 30, 54, 55, 1053, 1055, 2553, 2554};
        for (int i = 0; i + 1 < cuts.length; i++) {
            boolean last = i + 2 == cuts.length;
            bench.describe(
                    i + 1, TX_BUFFERS + cuts[i], data(cuts[i + 1] - cuts[i], TSE | IFCS | (last ? EOP | RS : 0), 3, 0));
        }
        bench.txTail = cuts.length;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 1054, 554);
        assertThat(transportSum(bench.sent.get(1))).isEqualTo(0xFFFF);
        assertThat(packet).hasSize(2554);
    }

    @Test
    @DisplayName("Each segment counts against the budget, and a busy wire resumes where it stopped")
    void shouldResumeWithinDescriptor() {
        packet(5000);
        contextFor(5000, 1000);
        bench.describe(1, TX_BUFFERS, data(5054, TSE | IFCS | EOP | RS, 3, 0));
        bench.write(TDT, 2);
        assertThat(bench.device.poll(2)).isEqualTo(2);
        assertThat(bench.txStatus(1)).isZero();
        bench.wireAnswer = Delivery.BUSY;
        assertThat(bench.device.poll(2)).isZero();
        assertThat(bench.device.workPending()).isTrue();
        bench.wireAnswer = Delivery.ACCEPTED;
        assertThat(bench.device.poll(2)).isEqualTo(2);
        assertThat(bench.device.poll(2)).isEqualTo(1);
        assertThat(bench.device.poll(2)).isZero();
        assertThat(bench.txStatus(1)).isEqualTo(1);
        assertThat(bench.sent)
                .hasSize(5)
                .allSatisfy(frame -> assertThat(transportSum(frame)).isEqualTo(0xFFFF));
    }

    @Test
    @DisplayName("3.3.7: with TSE the tag comes from the first data descriptor, and every segment gets it")
    void shouldTagEverySegment() {
        bench.set(CTRL, 1 << 30);
        bench.write(VET, 0x8100);
        packet(1500);
        contextFor(1500, 1000);
        bench.describe(1, TX_BUFFERS, data(HEADER, TSE | IFCS | VLE, 3, 0x0042));
        bench.describe(2, TX_BUFFERS + HEADER, data(1500, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 3;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1058, 558);
        assertThat(bench.sent).allSatisfy(frame -> {
            assertThat(word(frame, 12)).isEqualTo(0x8100);
            assertThat(word(frame, 14)).isEqualTo(0x0042);
            assertThat(onesSum(frame, 18, 38)).isEqualTo(0xFFFF);
        });
    }

    @Test
    @DisplayName("3.5: UDP fragments by the same engine get their length field set")
    void shouldSetUdpLength() {
        packet(1500);
        bench.describe(0, context(14, 24, 33, 34, 40, 0), parameters(1500, IPV4, 42, 1000));
        bench.describe(1, TX_BUFFERS, data(42 + 1500, TSE | IFCS | EOP | RS, 1, 0));
        bench.txTail = 2;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1042, 542);
        assertThat(word(bench.sent.get(0), 38)).isEqualTo(1008);
        assertThat(word(bench.sent.get(1), 38)).isEqualTo(508);
    }

    @ParameterizedTest
    @CsvSource({"I82540EM,0", "I82574L,40"})
    @DisplayName(
            "IPv6 payload length: MSS + HDRLEN - IPCSS as the 82540's manual prints it; without the header on the 82574L")
    void shouldSetIpv6PayloadLength(E1000Model model, int headerBytes) {
        bench.close();
        open(model);
        byte[] packet = frame(PEER, 74 + 1500);
        bench.ram.write(TX_BUFFERS, packet, 0, packet.length);
        bench.describe(0, context(14, 24, 0, 54, 70, 0), parameters(1500, TCP, 74, 1000));
        bench.describe(1, TX_BUFFERS, data(packet.length, TSE | IFCS | EOP | RS, 2, 0));
        bench.txTail = 2;
        bench.kick();
        assertThat(word(bench.sent.get(0), 18)).isEqualTo(1000 + 74 - 14 - headerBytes);
        assertThat(word(bench.sent.get(1), 18)).isEqualTo(500 + 74 - 14 - headerBytes);
    }

    @ParameterizedTest
    @CsvSource({"0,54", "1000,0", "1000,13", "65535,54", "16285,54"})
    @DisplayName("A context without MSS or header, or with segments beyond any frame, drops the packet: TSCTFC")
    void shouldDropUnusableContext(int mss, int header) {
        packet(2500);
        bench.describe(0, context(14, 24, 33, 34, 50, 0), parameters(2500, TCP | IPV4, header, mss));
        bench.describe(1, TX_BUFFERS, data(HEADER, TSE | IFCS, 3, 0));
        bench.describe(2, TX_BUFFERS + HEADER, data(2500, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 3;
        bench.queue(frame(PEER, 60));
        bench.kick();
        assertThat(bench.sent).containsExactly(frame(PEER, 60));
        assertThat(bench.read(0x40FC)).isEqualTo(1);
        assertThat(bench.txStatus(2)).isEqualTo(1);
    }

    @Test
    @DisplayName("PAYLEN that lies: data beyond it is ignored, missing data ends the packet early")
    void shouldBoundByPayloadLength() {
        packet(2500);
        contextFor(1500, 1000);
        bench.describe(1, TX_BUFFERS, data(2554, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 2;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 554);

        bench.sent.clear();
        bench.describe(2, context(14, 24, 33, 34, 50, 0), parameters(0xFFFFF, TCP | IPV4, HEADER, 1000));
        bench.describe(3, TX_BUFFERS, data(1554, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 4;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 554);
        assertThat(bench.read(0x40F8)).as("TSCTC").isEqualTo(1);
        assertThat(bench.read(0x40FC)).as("TSCTFC").isEqualTo(1);
    }

    @Test
    @DisplayName("A context in the middle of a packet has no effect on it")
    void shouldIgnoreContextInsidePacket() {
        packet(2500);
        contextFor(2500, 1000);
        bench.describe(1, TX_BUFFERS, data(HEADER + 1000, TSE | IFCS, 3, 0));
        bench.describe(2, 0, parameters(0xFFFFF, TCP | IPV4, 255, 0));
        bench.describe(3, TX_BUFFERS + HEADER + 1000, data(1500, TSE | IFCS | EOP | RS, 3, 0));
        bench.txTail = 4;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 1054, 554);
    }

    @Test
    @DisplayName("3.3.6: the contexts of segmented and of plain packets are apart")
    void shouldKeepTwoContexts() {
        packet(1500);
        contextFor(1500, 1000);
        bench.describe(1, context(14, 24, 33, 34, 50, 0), (long) (DEXT | TCP | IPV4) << 24);
        bench.describe(2, TX_BUFFERS, data(1554, TSE | IFCS | EOP | RS, 3, 0));
        byte[] plain = tcpFrame(30);
        bench.ram.write(TX_BUFFERS + 0x2000, plain, 0, plain.length);
        bench.describe(3, TX_BUFFERS + 0x2000, data(plain.length, IFCS | EOP | RS, 3, 0));
        bench.txTail = 4;
        bench.kick();
        assertThat(bench.sent).extracting(frame -> frame.length).containsExactly(1054, 554, 84);
        assertThat(transportSum(bench.sent.getLast())).isEqualTo(0xFFFF);
    }

    private static int word(byte[] bytes, int at) {
        return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
    }
}

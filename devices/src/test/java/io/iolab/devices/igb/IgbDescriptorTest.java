package io.iolab.devices.igb;

import static io.iolab.devices.igb.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.InternetChecksum;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Advanced and legacy descriptors, on queue 0 of the undivided controller (82576 datasheet 7.1.4, 7.1.5 and 7.2.2). */
class IgbDescriptorTest {
    private static final int IXSM = 1 << 8;
    private static final int TXSM = 1 << 9;
    private static final int IP_HEADER = 14;
    private static final int TCP_HEADER = 34;

    private final Bench bench = new Bench();

    @BeforeEach
    void open() {
        bench.write(0x0100, 1 << 1 | 1 << 15 | 1 << 26);
        bench.write(0x0400, 1 << 1 | 1 << 3);
        bench.openTransmit(0);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    /** IPv4 and TCP with the pseudo header's sum in the checksum field, as drivers leave it; 0 in IP's. */
    private static byte[] tcp(int payload, boolean pseudoLength) {
        byte[] frame = frame(PEER, MAC, 54 + payload);
        byte[] headers = java.util.HexFormat.of()
                .parseHex("08004500000012340000400600000a0000010a00000203e807d00000000100000000501920000000" + "0000");
        System.arraycopy(headers, 0, frame, 12, headers.length);
        frame[16] = (byte) (40 + payload >> 8);
        frame[17] = (byte) (40 + payload);
        long sum = InternetChecksum.pseudoHeader(0x0A00_0001, 0x0A00_0002, 6, pseudoLength ? 20 + payload : 0);
        int folded = InternetChecksum.fold(sum);
        frame[50] = (byte) (folded >> 8);
        frame[51] = (byte) folded;
        return frame;
    }

    private static boolean ipGood(byte[] frame) {
        return InternetChecksum.isValid(InternetChecksum.add(0, frame, IP_HEADER, 20));
    }

    private static boolean tcpGood(byte[] frame) {
        int length = ((frame[16] & 0xFF) << 8 | frame[17] & 0xFF) - 20;
        long sum = InternetChecksum.pseudoHeader(0x0A00_0001, 0x0A00_0002, 6, length);
        return InternetChecksum.isValid(InternetChecksum.add(sum, frame, TCP_HEADER, length));
    }

    private void context(int mss, int tag, int index) {
        bench.describe(
                0,
                20 | 14 << 9 | (long) tag << 16,
                CONTEXT | DEXT | 1 << 10 | 1 << 11,
                index << 4 | 20 << 8 | mss << 16);
    }

    @Test
    void shouldSendAndReportDd() {
        byte[] frame = frame(PEER, MAC, 100);
        bench.transmit(0, frame);
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.sent.getFirst()).isEqualTo(frame);
        assertThat(bench.txStatus(0, 0))
                .as("the rest of the dword is left as read")
                .isEqualTo(100 << 14 | 1);
        assertThat(bench.read(0xE010)).as("TDH").isEqualTo(1);
    }

    @Test
    void shouldNotReportWithoutRs() {
        byte[] frame = frame(PEER, MAC, 100);
        bench.describe(0, bench.fill(0, frame), frame.length | DATA | EOP | DEXT, frame.length << 14);
        bench.kick(0);
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.txStatus(0, 0) & 1).isZero();
    }

    @Test
    @DisplayName("A packet of several descriptors, published one by one")
    void shouldGatherDescriptors() {
        byte[] frame = frame(PEER, MAC, 300);
        for (int i = 0; i < 3; i++) {
            byte[] part = Arrays.copyOfRange(frame, 100 * i, 100 * i + 100);
            bench.describe(0, bench.fill(0, part), 100 | DATA | (i == 2 ? EOP | RS : 0) | DEXT, 300 << 14);
            bench.kick(0);
        }
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.sent.getFirst()).isEqualTo(frame);
    }

    @Test
    @DisplayName("Legacy descriptors (DEXT = 0)")
    void shouldSendLegacyDescriptors() {
        byte[] frame = frame(PEER, MAC, 64);
        bench.describe(0, bench.fill(0, frame), 64 | EOP | IFCS | RS, 0);
        bench.kick(0);
        assertThat(bench.sent.getFirst()).isEqualTo(frame);
        assertThat(bench.txStatus(0, 0)).isEqualTo(1);
    }

    @Test
    void shouldPadShortFrames() {
        bench.transmit(0, frame(PEER, MAC, 20));
        assertThat(bench.sent.getFirst()).hasSize(60);
        assertThat(bench.sent.getFirst()[59]).isZero();
    }

    @Test
    @DisplayName("IXSM and TXSM with the context that IDX names")
    void shouldInsertChecksums() {
        context(0, 0, 1);
        byte[] frame = tcp(100, true);
        bench.describe(
                0,
                bench.fill(0, frame),
                frame.length | DATA | EOP | RS | DEXT,
                1 << 4 | IXSM | TXSM | frame.length << 14);
        bench.kick(0);
        assertThat(ipGood(bench.sent.getFirst())).isTrue();
        assertThat(tcpGood(bench.sent.getFirst())).isTrue();
    }

    @Test
    @DisplayName("VLE inserts the context's tag")
    void shouldInsertTags() {
        context(0, 0x6123, 0);
        byte[] frame = frame(PEER, MAC, 100);
        bench.describe(0, bench.fill(0, frame), 100 | DATA | EOP | RS | DEXT | VLE, 100 << 14);
        bench.kick(0);
        byte[] out = bench.sent.getFirst();
        assertThat(out).hasSize(104);
        assertThat(Arrays.copyOfRange(out, 12, 18)).containsExactly(0x81, 0x00, 0x61, 0x23, 0x88, 0xB5);
        assertThat(Arrays.copyOfRange(out, 18, 104)).isEqualTo(Arrays.copyOfRange(frame, 14, 100));
    }

    @Test
    @DisplayName(
            "TSE: segments of MSS, with lengths, identification, sequence numbers, flags and checksums of their own")
    void shouldSegment() {
        context(1000, 0x0007, 0);
        byte[] packet = tcp(2500, false);
        byte[] head = Arrays.copyOf(packet, 1500);
        byte[] rest = Arrays.copyOfRange(packet, 1500, packet.length);
        int options = IXSM | TXSM | 2500 << 14;
        bench.describe(0, bench.fill(0, head), 1500 | DATA | DEXT | TSE | VLE, options);
        bench.describe(0, bench.fill(0, rest), rest.length | DATA | EOP | RS | DEXT | TSE | VLE, options);
        bench.kick(0);
        assertThat(bench.sent).hasSize(3);
        int at = 54;
        for (int i = 0; i < 3; i++) {
            byte[] out = bench.sent.get(i);
            int part = i < 2 ? 1000 : 500;
            assertThat(out).hasSize(58 + part);
            assertThat(out[15]).as("tag").isEqualTo((byte) 7);
            assertThat(Arrays.copyOfRange(out, 58, out.length)).isEqualTo(Arrays.copyOfRange(packet, at, at + part));
            byte[] plain = new byte[out.length - 4];
            System.arraycopy(out, 0, plain, 0, 12);
            System.arraycopy(out, 16, plain, 12, plain.length - 12);
            assertThat(ipGood(plain)).isTrue();
            assertThat(tcpGood(plain)).isTrue();
            assertThat(plain[47] & 1).as("FIN").isEqualTo(i == 2 ? 1 : 0);
            at += part;
        }
        assertThat(bench.txStatus(0, 2) & 1).isEqualTo(1);
    }

    @Test
    void shouldGoOnWithTheNextSegmentWhenTheWireHasRoomAgain() {
        context(1000, 0, 0);
        byte[] packet = tcp(1900, false);
        bench.describe(
                0, bench.fill(0, packet), packet.length | DATA | EOP | RS | DEXT | TSE, IXSM | TXSM | 1900 << 14);
        bench.wireAnswer = Delivery.BUSY;
        bench.kick(0);
        assertThat(bench.txStatus(0, 1) & 1).isZero();
        assertThat(bench.device.workPending()).isTrue();
        bench.wireAnswer = Delivery.ACCEPTED;
        assertThat(bench.device.poll(1)).isEqualTo(1);
        assertThat(bench.device.poll(8)).isEqualTo(1);
        assertThat(bench.sent).hasSize(2);
        assertThat(bench.txStatus(0, 1) & 1).isEqualTo(1);
    }

    @Test
    @DisplayName("An unknown descriptor type, and TSE without MSS, drop the packet; its descriptors complete")
    void shouldDropNonsense() {
        byte[] frame = frame(PEER, MAC, 100);
        bench.describe(0, bench.fill(0, frame), 100 | 7 << 20 | EOP | RS | DEXT, 100 << 14);
        bench.describe(0, bench.fill(0, frame), 100 | DATA | EOP | RS | DEXT | TSE, 1 << 4 | 100 << 14);
        bench.transmit(0, frame);
        assertThat(bench.sent).hasSize(1);
        assertThat(bench.device.counters().txMalformed()).isEqualTo(2);
        assertThat(bench.txStatus(0, 0) & 1).isEqualTo(1);
        assertThat(bench.txStatus(0, 1) & 1).isEqualTo(1);
    }

    @Test
    void shouldDropPacketsOutOfReach() {
        bench.describe(0, 1L << 40, 100 | DATA | EOP | RS | DEXT, 100 << 14);
        bench.kick(0);
        assertThat(bench.sent).isEmpty();
        assertThat(bench.device.counters().txUnreachable()).isEqualTo(1);
        assertThat(bench.txStatus(0, 0) & 1).isEqualTo(1);
    }

    @Test
    @DisplayName("TDWBAL bit 0: the head is written instead of DD")
    void shouldWriteTheHeadBack() {
        bench.ram.writeInt(0x8_0000, -1);
        bench.write(0xE038, 0x8_0001);
        bench.transmit(0, frame(PEER, MAC, 100));
        assertThat(bench.ram.readInt(0x8_0000)).isEqualTo(1);
        assertThat(bench.txStatus(0, 0) & 1).isZero();
    }

    @Test
    @DisplayName("Receive: packet type, checksum results, packet checksum and IP identification")
    void shouldReportReceivedPackets() {
        bench.openReceive(0);
        context(0, 0, 0);
        byte[] good = tcp(100, true);
        bench.describe(0, bench.fill(0, good), good.length | DATA | EOP | RS | DEXT, IXSM | TXSM | good.length << 14);
        bench.kick(0);
        byte[] frame = bench.sent.getFirst();
        System.arraycopy(MAC, 0, frame, 0, 6);
        bench.arrive(frame);
        assertThat(bench.rxWord(0, 0, 0)).as("IPv4, TCP").isEqualTo(1 << 4 | 1 << 8);
        assertThat(bench.rxWord(0, 0, 1) & 0xFFFF).as("identification").isEqualTo(0x1234);
        assertThat(bench.rxStatus(0, 0)).as("DD EOP L4CS IPCS").isEqualTo(0x63);
        assertThat(bench.rxLength(0, 0)).isEqualTo(154);
        frame[60] ^= 1;
        bench.arrive(frame);
        assertThat(bench.rxStatus(0, 1)).as("L4E").isEqualTo(1 << 29 | 0x63);
        frame[22] ^= 1;
        bench.arrive(frame);
        assertThat(bench.rxStatus(0, 2) >>> 29 & 3).as("L4E, IPE").isEqualTo(3);
    }

    @Test
    @DisplayName("A frame over several buffers: DD on all, EOP and status on the last")
    void shouldSpreadFramesOverBuffers() {
        bench.write(0x5004, 0x2600);
        bench.set(0x0100, 1 << 5);
        bench.openReceive(0, 0x0200_0001);
        byte[] frame = frame(MAC, PEER, 2500);
        bench.arrive(frame);
        assertThat(bench.rxStatus(0, 0)).isEqualTo(1);
        assertThat(bench.rxLength(0, 0)).isEqualTo(1024);
        assertThat(bench.rxStatus(0, 1)).isEqualTo(1);
        assertThat(bench.rxStatus(0, 2) & 3).isEqualTo(3);
        assertThat(bench.rxLength(0, 2)).isEqualTo(452);
        assertThat(bench.rxBytes(0, 1)).isEqualTo(Arrays.copyOfRange(frame, 1024, 2048));
    }

    @Test
    @DisplayName("DESCTYPE 010: headers in the header buffer, SPH and their length in the descriptor")
    void shouldSplitHeaders() {
        bench.openReceive(0, 0x0400_0202);
        bench.ram.writeLong(bench.rxRing(0) + 8, 0x9_0000);
        byte[] frame = tcp(100, true);
        System.arraycopy(MAC, 0, frame, 0, 6);
        bench.arrive(frame);
        assertThat(bench.rxWord(0, 0, 0)).isEqualTo(1 << 31 | 54 << 21 | 1 << 4 | 1 << 8);
        assertThat(bench.rxLength(0, 0)).isEqualTo(100);
        byte[] header = new byte[54];
        bench.ram.read(0x9_0000, header, 0, 54);
        assertThat(header).isEqualTo(Arrays.copyOf(frame, 54));
        assertThat(bench.rxBytes(0, 0)).isEqualTo(Arrays.copyOfRange(frame, 54, 154));
    }

    @Test
    @DisplayName("DESCTYPE 000: legacy write-back, address kept")
    void shouldReceiveLegacyDescriptors() {
        bench.openReceive(0, 0x0000_0002);
        bench.arrive(frame(MAC, PEER, 77));
        assertThat(bench.ram.readLong(bench.rxRing(0))).isEqualTo(bench.rxBuffer(0, 0));
        assertThat(bench.rxWord(0, 0, 2) & 0xFFFF).isEqualTo(77);
        assertThat(bench.rxWord(0, 0, 3) & 0xFF).isEqualTo(3);
    }

    @Test
    @DisplayName("Without RCTL.SECRC the FCS is kept")
    void shouldKeepTheFcs() {
        bench.write(0x0100, 1 << 1);
        bench.openReceive(0);
        byte[] frame = frame(MAC, PEER, 100);
        bench.arrive(frame);
        java.util.zip.CRC32 crc = new java.util.zip.CRC32();
        crc.update(frame);
        assertThat(bench.rxLength(0, 0)).isEqualTo(104);
        assertThat(bench.ram.readInt(bench.rxBuffer(0, 0) + 100)).isEqualTo((int) crc.getValue());
    }

    @Test
    @DisplayName("The undivided filters: station address, broadcast with BAM, group by MTA, nobody else's")
    void shouldFilterWithoutPools() {
        bench.openReceive(0);
        assertThat(bench.arrive(frame(MAC, PEER, 60))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.arrive(frame(BROADCAST, PEER, 60))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.arrive(frame(PEER, MAC, 60))).isEqualTo(Delivery.FILTERED);
        assertThat(bench.arrive(frame(GROUP, PEER, 60))).isEqualTo(Delivery.FILTERED);
        bench.set(0x0100, 1 << 3 | 1 << 4);
        assertThat(bench.arrive(frame(PEER, MAC, 60))).isEqualTo(Delivery.ACCEPTED);
        assertThat(bench.arrive(frame(GROUP, PEER, 60))).isEqualTo(Delivery.ACCEPTED);
    }
}

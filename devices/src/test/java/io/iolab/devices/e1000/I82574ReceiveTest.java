package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static io.iolab.devices.e1000.TestFrames.fixIp;
import static io.iolab.devices.e1000.TestFrames.goodTcp;
import static io.iolab.devices.e1000.TestFrames.onesSum;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 82574 datasheet 7.1: extended descriptors, RSS, packet split. */
class I82574ReceiveTest {
    private static final int EXSTEN = 1 << 15;
    private static final int ACK_DIS = 1 << 12;
    private static final int ACK_DATA_DIS = 1 << 13;
    private static final int PCSD = 1 << 13;
    private static final int OFFLOADS = 0x300;
    private static final int DD_EOP = 3;
    private static final int IPCS = 0x40;
    private static final int TCPCS = 0x20;
    private static final int UDPCS = 0x10;
    private static final int IPIDV = 0x200;
    private static final int ACK = 0x8000;
    private static final int IPE = 1 << 30;
    private static final int TCPE = 1 << 29;

    private static final String KEY =
            "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa";

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82574l();
        bench.write(RFCTL, EXSTEN);
        bench.openReceive(16);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private int status(int index) {
        return bench.ram.readInt(RX_RING + 16L * index + 8);
    }

    private int length(int index) {
        return bench.ram.readShort(RX_RING + 16L * index + 12) & 0xFFFF;
    }

    private int high(int index) {
        return bench.ram.readInt(RX_RING + 16L * index + 4);
    }

    private int queues(int index) {
        return bench.ram.readInt(RX_RING + 16L * index);
    }

    private static byte[] udp() {
        return bytes("525400123456525400aabbcc0800450000300001000040119d19420995bba18e64500aea06e6001c01f0"
                + "7061796c6f6164206f66207477656e747920622e");
    }

    private static byte[] fragment() {
        byte[] frame = udp();
        frame[20] = 0x20;
        fixIp(frame);
        return frame;
    }

    @Test
    @DisplayName("7.1: status, length and VLAN tag in the second half; packet type, IP identification and checksum")
    void shouldWriteExtendedDescriptors() {
        bench.write(VET, 0x8100);
        byte[] tcp = goodTcp(20);
        tcp[18] = 0x12;
        tcp[19] = 0x34;
        fixIp(tcp);
        bench.arrive(tcp);
        assertThat(status(0)).isEqualTo(0x0002_0000 | ACK | IPIDV | IPCS | TCPCS | DD_EOP);
        assertThat(length(0)).isEqualTo(74);
        assertThat(queues(0)).isZero();
        assertThat(high(0) & 0xFFFF).as("identification").isEqualTo(0x1234);
        assertThat(high(0) >>> 16).as("packet checksum").isEqualTo(onesSum(tcp, 0, 74));

        bench.arrive(udp());
        assertThat(status(1)).isEqualTo(0x0002_0000 | IPIDV | IPCS | TCPCS | UDPCS | DD_EOP);
        bench.arrive(fragment());
        assertThat(status(2)).as("fragment: no transport checksum").isEqualTo(0x0002_0000 | IPIDV | IPCS | DD_EOP);
        byte[] icmp = udp();
        icmp[23] = 1;
        fixIp(icmp);
        bench.arrive(icmp);
        assertThat(status(3)).isEqualTo(0x0001_0000 | IPIDV | IPCS | DD_EOP);
        bench.arrive(frame(MAC, 60));
        assertThat(status(4)).as("not IP").isEqualTo(DD_EOP);

        bench.set(CTRL, 1 << 30);
        bench.arrive(TestFrames.tagged(0x2123, 64));
        assertThat(status(5)).isEqualTo(DD_EOP | 8);
        assertThat(bench.ram.readInt(RX_RING + 16 * 5 + 12)).isEqualTo(0x2123_0000 | 60);
    }

    @Test
    @DisplayName("7.1: bad checksums are reported in the error bits")
    void shouldReportChecksumErrors() {
        byte[] badIp = goodTcp(20);
        badIp[15] = 4;
        bench.arrive(badIp);
        assertThat(status(0) & (IPE | TCPE)).isEqualTo(IPE);
        byte[] badTcp = goodTcp(20);
        badTcp[51]++;
        bench.arrive(badTcp);
        assertThat(status(1) & (IPE | TCPE)).isEqualTo(TCPE);
        byte[] unchecked = udp();
        unchecked[40] = 0;
        unchecked[41] = 0;
        bench.arrive(unchecked);
        assertThat(status(2) & (TCPCS | UDPCS | TCPE))
                .as("UDP without checksum")
                .isZero();
        byte[] lying = udp();
        lying[17] = 0x60;
        fixIp(lying);
        bench.arrive(lying);
        assertThat(status(3) & (TCPCS | TCPE))
                .as("length beyond the frame: not looked at")
                .isZero();
    }

    @Test
    @DisplayName("7.1: descriptors before the last carry DD and length only")
    void shouldSpanDescriptors() {
        bench.write(RCTL, RX_EN | RX_SECRC | 3 << 16);
        bench.arrive(frame(MAC, 300));
        assertThat(status(0)).isEqualTo(1);
        assertThat(length(0)).isEqualTo(256);
        assertThat(status(1)).isEqualTo(DD_EOP);
        assertThat(length(1)).isEqualTo(44);
    }

    @Test
    @DisplayName("13.4 RCTL.FLXBUF: buffers of that many kilobytes, whatever BSIZE says")
    void shouldUseFlexibleBuffers() {
        bench.write(RCTL, RX_EN | RX_SECRC | 3 << 16 | 2 << 27);
        bench.arrive(frame(MAC, 1500));
        assertThat(length(0)).isEqualTo(1500);
    }

    @Test
    @DisplayName("Without EXSTEN descriptors are legacy ones")
    void shouldWriteLegacyDescriptors() {
        bench.write(RFCTL, 0);
        bench.arrive(goodTcp(20));
        assertThat(bench.rxStatus(0)).isEqualTo(DD_EOP | IPCS | TCPCS);
        assertThat(bench.rxLength(0)).isEqualTo(74);
        bench.arrive(udp());
        assertThat(bench.rxStatus(1)).isEqualTo(DD_EOP | IPCS | TCPCS | UDPCS);
    }

    @Test
    @DisplayName("RFCTL: ACK_DATA_DIS takes only empty acknowledgements, ACK_DIS keeps them from interrupting")
    void shouldRecogniseAcknowledgements() {
        bench.arrive(goodTcp(20));
        assertThat(bench.read(ICR) & 1 << 17).isNotZero();
        bench.write(RFCTL, EXSTEN | ACK_DATA_DIS);
        bench.arrive(goodTcp(20));
        assertThat(status(1) & ACK).isZero();
        bench.arrive(goodTcp(0));
        assertThat(status(2) & ACK).isNotZero();
        bench.write(ICR, -1);
        bench.write(RFCTL, EXSTEN | ACK_DIS);
        bench.arrive(goodTcp(0));
        assertThat(status(3) & ACK).isNotZero();
        assertThat(bench.read(ICR) & 1 << 17).isZero();
    }

    private void enableScaling(int mrqc) {
        byte[] key = bytes(KEY);
        for (int i = 0; i < 10; i++) {
            bench.write(
                    0x5C80 + 4 * i,
                    key[4 * i] & 0xFF
                            | (key[4 * i + 1] & 0xFF) << 8
                            | (key[4 * i + 2] & 0xFF) << 16
                            | key[4 * i + 3] << 24);
        }
        bench.write(RXCSUM, OFFLOADS | PCSD);
        bench.write(MRQC, mrqc);
    }

    private static byte[] tcp(String source, int sourcePort, String destination, int destinationPort, int transport) {
        try {
            byte[] from = InetAddress.getByName(source).getAddress();
            byte[] to = InetAddress.getByName(destination).getAddress();
            boolean v4 = from.length == 4;
            byte[] frame = frame(MAC, v4 ? 60 : 80);
            Arrays.fill(frame, 14, frame.length, (byte) 0);
            frame[12] = (byte) (v4 ? 0x08 : 0x86);
            frame[13] = (byte) (v4 ? 0x00 : 0xDD);
            int at = v4 ? 34 : 54;
            if (v4) {
                frame[14] = 0x45;
                frame[17] = 40;
                frame[23] = (byte) transport;
                fixIp(frame);
            } else {
                frame[14] = 0x60;
                frame[19] = 20;
                frame[20] = (byte) transport;
            }
            System.arraycopy(from, 0, frame, v4 ? 26 : 22, from.length);
            System.arraycopy(to, 0, frame, v4 ? 30 : 38, to.length);
            frame[at] = (byte) (sourcePort >> 8);
            frame[at + 1] = (byte) sourcePort;
            frame[at + 2] = (byte) (destinationPort >> 8);
            frame[at + 3] = (byte) destinationPort;
            return frame;
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "66.9.149.187,2794,161.142.100.80,1766,323e8fc2,51ccc178",
        "199.92.111.2,14230,65.69.140.83,4739,d718262a,c626b0ea",
        "24.19.198.95,12898,12.22.207.184,38024,d2d0a5de,5c2b394a",
        "38.27.205.30,48228,209.142.163.6,2217,82989176,afc7327f",
        "153.39.163.191,44251,202.188.127.2,1303,5d1809c5,10e828a2",
        "3ffe:2501:200:1fff::7,2794,3ffe:2501:200:3::1,1766,2cc18cd5,40207d3d",
        "3ffe:501:8::260:97ff:fe40:efab,14230,ff02::1,4739,0f0c461c,dde51bbf",
        "3ffe:1900:4545:3:200:f8ff:fe21:67cf,44251,fe80::200:f8ff:fe21:67cf,38024,4b61e985,02d1feef",
    })
    @DisplayName("RSS: the verification vectors of the Toeplitz hash, over addresses alone and with TCP ports")
    void shouldHashByToeplitz(String source, int from, String destination, int to, String addresses, String ports) {
        boolean v4 = source.contains(".");
        enableScaling(0x0037_0001);
        bench.arrive(tcp(source, from, destination, to, 6));
        assertThat(high(0)).isEqualTo(Integer.parseUnsignedInt(ports, 16));
        assertThat(queues(0)).as("type").isEqualTo(v4 ? 1 : 3);
        bench.arrive(tcp(source, from, destination, to, 17));
        assertThat(high(1)).isEqualTo(Integer.parseUnsignedInt(addresses, 16));
        assertThat(queues(1)).as("type").isEqualTo(v4 ? 2 : 5);
    }

    @Test
    @DisplayName("RSS: bit 7 of RETA[hash 6:0] names the queue, which has its own ring")
    void shouldSteerToQueue() {
        enableScaling(0x0037_0001);
        byte[] frame = tcp("66.9.149.187", 2794, "161.142.100.80", 1766, 6);
        int entry = 0x51ccc178 & 0x7F;
        bench.write(0x5C00 + (entry & ~3), 0x80 << 8 * (entry & 3));
        bench.ram.writeLong(0x30000, 0x500000);
        bench.write(0x2900, 0x30000);
        bench.write(0x2908, 128);
        bench.write(0x2918, 7);
        bench.arrive(frame);
        assertThat(bench.read(0x2910)).isEqualTo(1);
        assertThat(bench.read(RDH)).isZero();
        assertThat(bench.ram.readInt(0x30000)).as("type 1, queue 1").isEqualTo(0x101);
        byte[] stored = new byte[60];
        bench.ram.read(0x500000, stored, 0, 60);
        assertThat(stored).isEqualTo(frame);
        bench.arrive(frame(MAC, 60));
        assertThat(bench.read(RDH)).as("what has no hash goes to queue 0").isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"0x370000,true,true", "0x370001,false,true", "0x370001,true,false", "0x1,true,true"})
    @DisplayName("RSS needs its enable, PCSD, extended descriptors, and a kind that is switched on")
    void shouldNotHashUnlessEnabled(String mrqc, boolean pcsd, boolean extended) {
        enableScaling(Integer.decode(mrqc));
        bench.write(RXCSUM, pcsd ? OFFLOADS | PCSD : OFFLOADS);
        bench.write(RFCTL, extended ? EXSTEN : 0);
        bench.arrive(tcp("66.9.149.187", 2794, "161.142.100.80", 1766, 6));
        if (extended) {
            assertThat(queues(0) & 0xF).isZero();
            assertThat(high(0)).isNotEqualTo(0x51ccc178);
        }
        assertThat(bench.read(RDH)).isEqualTo(1);
    }

    private void openSplit(int psrctl) {
        for (int i = 0; i < 8; i++) {
            for (int b = 0; b < 4; b++) {
                bench.ram.writeLong(RX_RING + 32L * i + 8 * b, RX_BUFFERS + 0x4000L * i + 0x1000L * b);
            }
        }
        bench.write(0x2170, psrctl);
        bench.write(RCTL, RX_EN | RX_BAM | RX_SECRC | RX_LPE | 1 << 10);
    }

    private int word(int descriptor, int dword) {
        return bench.ram.readInt(RX_RING + 32L * descriptor + 4 * dword);
    }

    @Test
    @DisplayName("Packet split: headers in buffer 0, data in the others; RDH counts 16-byte units")
    void shouldSplitPackets() {
        openSplit(0x0101_0104);
        byte[] tcp = goodTcp(20);
        bench.arrive(tcp);
        assertThat(bench.read(RDH)).isEqualTo(2);
        assertThat(word(0, 2) & 0xFFFFF).isEqualTo(0x0002_0000 | ACK | IPIDV | IPCS | TCPCS | DD_EOP);
        assertThat(word(0, 3)).as("length 0").isEqualTo(54);
        assertThat(word(0, 4)).as("length 1, split, header length").isEqualTo(20 << 16 | 0x8000 | 54);
        assertThat(word(0, 5) | word(0, 6) | word(0, 7)).isZero();
        byte[] data = new byte[20];
        bench.ram.read(RX_BUFFERS + 0x1000, data, 0, 20);
        assertThat(data).isEqualTo(Arrays.copyOfRange(tcp, 54, 74));

        bench.arrive(frame(MAC, 600));
        assertThat(bench.read(RDH)).isEqualTo(4);
        assertThat(word(1, 3)).as("not IP: fills buffer 0 first").isEqualTo(512);
        assertThat(word(1, 4)).isEqualTo(88 << 16);

        bench.arrive(fragment());
        assertThat(word(2, 4) & 0xFFFF).as("fragment: cut behind the IP header").isEqualTo(0x8000 | 34);
        bench.write(RFCTL, EXSTEN | 1 << 14);
        bench.arrive(fragment());
        assertThat(word(3, 4)).as("IPFRSP_DIS").isZero();
        assertThat(word(3, 3)).isEqualTo(62);
    }

    @Test
    @DisplayName("Packet split: a long frame goes on in the next descriptor, whose buffer 0 stays empty")
    void shouldSplitOverDescriptors() {
        openSplit(0x0101_0104);
        byte[] tcp = goodTcp(5000);
        bench.arrive(tcp);
        assertThat(bench.read(RDH)).isEqualTo(4);
        assertThat(word(0, 2)).isEqualTo(1);
        assertThat(word(0, 3)).isEqualTo(54);
        assertThat(word(0, 4)).isEqualTo(1024 << 16 | 0x8000 | 54);
        assertThat(word(0, 5)).isEqualTo(1024 << 16 | 1024);
        assertThat(word(1, 2) & DD_EOP).isEqualTo(DD_EOP);
        assertThat(word(1, 3) & 0xFFFF).isZero();
        assertThat(word(1, 5)).isEqualTo(5000 - 3072 - 1024);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x04, 0x3F000000})
    @DisplayName("Packet split with sizes that hold nothing loses frames, and does not hang")
    void shouldSurviveUselessSizes(int psrctl) {
        openSplit(psrctl);
        for (int i = 0; i < 10; i++) {
            bench.arrive(frame(MAC, 1500));
        }
        bench.write(RDT, 1);
        bench.arrive(frame(MAC, 1500));
        assertThat(bench.device.counters().ringFaults()).isZero();
    }
}

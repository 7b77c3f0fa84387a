package io.iolab.devices.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** UDP (RFC 768), ICMP echo (RFC 792), ARP (RFC 826) over IPv4 (RFC 791), built and checked in place. */
class PacketTest {
    private static final UdpEndpoint A = new UdpEndpoint(0x0200_0000_000AL, Ipv4.parse("10.0.0.1"), 40000);
    private static final UdpEndpoint B = new UdpEndpoint(0x0200_0000_000BL, Ipv4.parse("10.0.0.2"), 7);
    private static final int AT = 5;

    private final byte[] frame = new byte[2000];

    private int udp(int payloadBytes) {
        return Udp.build(frame, AT, A, B, payloadBytes, 0x1234);
    }

    /** Every byte by hand: lengths 8+4 and 20+12, both checksums worked out on paper. */
    @Test
    void shouldBuildAUdpFrameByteByByte() {
        byte[] payload = {'p', 'i', 'n', 'g'};
        System.arraycopy(payload, 0, frame, AT + Udp.PAYLOAD_IN_FRAME, 4);
        assertThat(udp(4)).isEqualTo(46);
        String expected = "02000000000b" + "02000000000a" + "0800"
                + "4500002012344000" + "4011" + "1497" + "0a000001" + "0a000002"
                + "9c400007000c" + "70bb" + "70696e67";
        assertThat(HexFormat.of().formatHex(frame, AT, AT + 46)).isEqualTo(expected);
        assertThat(frame[AT - 1]).isZero();
        assertThat(frame[AT + 46]).isZero();
        assertThat(Udp.check(frame, AT, 46)).isEqualTo(PacketCheck.VALID);
        assertThat(Udp.payloadLength(frame, AT, 46)).isEqualTo(4);
        assertThat(Udp.headerOffset(frame, AT, 46)).isEqualTo(34);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldBuildValidDatagramsOfAnyLengthAndNoticeAnyChangedBit(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 300; i++) {
            random.nextBytes(frame);
            int payload = random.nextInt(1400);
            int length = udp(payload);
            assertThat(length).isEqualTo(42 + payload);
            assertThat(Udp.check(frame, AT, length)).as("seed %d", seed).isEqualTo(PacketCheck.VALID);
            assertThat(Udp.check(frame, AT, length + random.nextInt(40)))
                    .as("seed %d, padded", seed)
                    .isEqualTo(PacketCheck.VALID);
            int bit = 8 * (AT + 12) + random.nextInt(8 * (length - 12));
            frame[bit >>> 3] ^= (byte) (1 << (bit & 7));
            assertThat(Udp.check(frame, AT, length))
                    .as("seed %d, bit %d", seed, bit)
                    .isNotEqualTo(PacketCheck.VALID);
        }
    }

    @Test
    void shouldSendAllOnesForAChecksumOfZero() {
        int length = udp(2);
        int checksum = BigEndian.getShort(frame, AT + 34 + Udp.CHECKSUM);
        BigEndian.putShort(frame, AT + Udp.PAYLOAD_IN_FRAME, checksum);
        udp(2);
        assertThat(BigEndian.getShort(frame, AT + 34 + Udp.CHECKSUM)).isEqualTo(0xFFFF);
        assertThat(Udp.check(frame, AT, length)).isEqualTo(PacketCheck.VALID);
    }

    @Test
    void shouldAcceptADatagramWithoutChecksum() {
        int length = udp(10);
        BigEndian.putShort(frame, AT + 34 + Udp.CHECKSUM, 0);
        assertThat(Udp.check(frame, AT, length)).isEqualTo(PacketCheck.VALID);
    }

    @Test
    void shouldCheckBehindAVlanTag() {
        int length = udp(30);
        byte[] tagged = new byte[length + 4];
        EthernetFrame.writeTaggedHeader(tagged, 0, B.mac(), A.mac(), 7, EthernetFrame.TYPE_IPV4);
        System.arraycopy(frame, AT + 14, tagged, 18, length - 14);
        assertThat(Udp.check(tagged, 0, tagged.length)).isEqualTo(PacketCheck.VALID);
        assertThat(Udp.headerOffset(tagged, 0, tagged.length)).isEqualTo(38);
        assertThat(Udp.payloadLength(tagged, 0, tagged.length)).isEqualTo(30);
    }

    @Test
    void shouldCheckBehindIpOptions() {
        int length = udp(8);
        byte[] longer = new byte[length + 4];
        System.arraycopy(frame, AT, longer, 0, 34);
        Arrays.fill(longer, 34, 38, (byte) 1);
        System.arraycopy(frame, AT + 34, longer, 38, length - 34);
        longer[14] = 0x46;
        BigEndian.putShort(longer, 16, length - 14 + 4);
        BigEndian.putShort(longer, 24, 0);
        BigEndian.putShort(longer, 24, InternetChecksum.of(longer, 14, 24));
        assertThat(Udp.check(longer, 0, longer.length)).isEqualTo(PacketCheck.VALID);
        assertThat(Udp.headerOffset(longer, 0, longer.length)).isEqualTo(38);
    }

    @ParameterizedTest
    @CsvSource({
        "12, 0x0806, OTHER_PROTOCOL",
        "14, 0x6500, BAD_HEADER",
        "14, 0x4400, BAD_HEADER",
        "14, 0x4f00, BAD_LENGTH",
        "16, 0x0010, BAD_LENGTH",
        "16, 0xffff, BAD_LENGTH",
        "18, 0x4321, BAD_HEADER_CHECKSUM"
    })
    void shouldNameWhatIsWrong(int offset, int value, PacketCheck expected) {
        int length = udp(4);
        BigEndian.putShort(frame, AT + offset, value);
        assertThat(Udp.check(frame, AT, length)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "6, 0x2000, FRAGMENT",
        "6, 0x0001, FRAGMENT",
        "6, 0x0000, VALID",
        "8, 0x4006, OTHER_PROTOCOL",
        "2, 0x001b, TOO_SHORT"
    })
    void shouldNameWhatIsWrongBehindAGoodHeaderChecksum(int offset, int value, PacketCheck expected) {
        int length = udp(4);
        BigEndian.putShort(frame, AT + 14 + offset, value);
        BigEndian.putShort(frame, AT + 24, 0);
        BigEndian.putShort(frame, AT + 24, InternetChecksum.of(frame, AT + 14, 20));
        assertThat(Udp.check(frame, AT, length)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "4, 7, BAD_LENGTH",
        "4, 13, BAD_LENGTH",
        "4, 0xffff, BAD_LENGTH",
        "6, 0x1111, BAD_CHECKSUM",
        "0, 1, BAD_CHECKSUM"
    })
    void shouldNameWhatIsWrongInTheUdpHeader(int offset, int value, PacketCheck expected) {
        int length = udp(4);
        BigEndian.putShort(frame, AT + 34 + offset, value);
        assertThat(Udp.check(frame, AT, length)).isEqualTo(expected);
    }

    /** Anything may arrive: no length, no content makes a check or a reply throw. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldNeverThrowOnHostileFrames(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 20_000; i++) {
            // The array ends where the frame ends, so reading on would be noticed.
            byte[] hostile = hostileFrame(random);
            int length = hostile.length;
            Udp.check(hostile, 0, length);
            Udp.replyInPlace(hostile, 0, length, B.mac(), B.address());
            Icmp.check(hostile, 0, length);
            Icmp.replyInPlace(hostile, 0, length, B.mac(), B.address());
            Arp.check(hostile, 0, length);
            Arp.replyInPlace(hostile, 0, length, B.mac(), B.address());
        }
    }

    private byte[] hostileFrame(SplittableRandom random) {
        int length = switch (random.nextInt(3)) {
            case 0 -> udp(random.nextInt(20));
            case 1 -> Icmp.buildEchoRequest(frame, AT, A, B, 1, 2, random.nextInt(20));
            default -> Arp.buildRequest(frame, AT, A.mac(), A.address(), B.address());
        };
        byte[] copy = Arrays.copyOfRange(frame, AT, AT + random.nextInt(length + 1));
        for (int changes = random.nextInt(4); changes > 0 && copy.length > 12; changes--) {
            copy[random.nextInt(12, copy.length)] = (byte) random.nextInt(256);
        }
        if (copy.length >= 34 && random.nextBoolean()) {
            int header = Math.min((copy[14] & 0xF) * 4, copy.length - 14);
            BigEndian.putShort(copy, 24, 0);
            BigEndian.putShort(copy, 24, InternetChecksum.of(copy, 14, header));
        }
        return copy;
    }

    @Test
    void shouldAnswerADatagramWithItsPayload() {
        Arrays.fill(frame, (byte) 0x42);
        int length = udp(18);
        byte[] before = frame.clone();
        assertThat(Udp.replyInPlace(frame, AT, length, B.mac(), A.address()))
                .as("not for us")
                .isFalse();
        assertThat(frame).isEqualTo(before);
        assertThat(Udp.replyInPlace(frame, AT, length, B.mac(), B.address())).isTrue();
        byte[] answer = frame.clone();
        Udp.build(frame, AT, B, A, 18, 0x1234);
        assertThat(answer).isEqualTo(frame);
    }

    @Test
    void shouldBuildAndAnswerAnEchoRequest() {
        Arrays.fill(frame, (byte) 0x33);
        int length = Icmp.buildEchoRequest(frame, AT, A, B, 0xBEEF, 3, 57);
        assertThat(length).isEqualTo(14 + 20 + 8 + 57);
        assertThat(Icmp.check(frame, AT, length)).isEqualTo(PacketCheck.VALID);
        assertThat(BigEndian.getLong(frame, AT + 34) & 0xFFFF_0000_FFFF_FFFFL).isEqualTo(0x0800_0000_BEEF_0003L);
        byte[] before = frame.clone();
        assertThat(Icmp.replyInPlace(frame, AT, length, B.mac(), A.address()))
                .as("not for us")
                .isFalse();
        assertThat(frame).isEqualTo(before);
        assertThat(Icmp.replyInPlace(frame, AT, length, B.mac(), B.address())).isTrue();
        assertThat(Icmp.check(frame, AT, length)).isEqualTo(PacketCheck.VALID);
        assertThat(frame[AT + 34]).as("echo reply").isZero();
        assertThat(EthernetFrame.destination(frame, AT)).isEqualTo(A.mac());
        assertThat(EthernetFrame.source(frame, AT)).isEqualTo(B.mac());
        assertThat(Ipv4.source(frame, AT + 14)).isEqualTo(B.address());
        assertThat(Ipv4.destination(frame, AT + 14)).isEqualTo(A.address());
        assertThat(Arrays.copyOfRange(frame, AT + 38, AT + length))
                .isEqualTo(Arrays.copyOfRange(before, AT + 38, AT + length));
        assertThat(Icmp.replyInPlace(frame, AT, length, A.mac(), A.address()))
                .as("a reply is not answered")
                .isFalse();
    }

    @Test
    void shouldNoticeADamagedEchoRequest() {
        int length = Icmp.buildEchoRequest(frame, AT, A, B, 1, 3, 20);
        frame[AT + length - 1] ^= 1;
        assertThat(Icmp.check(frame, AT, length)).isEqualTo(PacketCheck.BAD_CHECKSUM);
        assertThat(Icmp.replyInPlace(frame, AT, length, B.mac(), B.address())).isFalse();
        assertThat(Icmp.check(frame, AT, Udp.build(frame, AT, A, B, 20, 1))).isEqualTo(PacketCheck.OTHER_PROTOCOL);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 7})
    void shouldFindNoEchoRequestInLessThanAHeader(int messageBytes) {
        byte[] packet = new byte[34 + messageBytes];
        EthernetFrame.writeHeader(packet, 0, B.mac(), A.mac(), EthernetFrame.TYPE_IPV4);
        Ipv4.writeHeader(packet, 14, messageBytes, 1, Ipv4.PROTOCOL_ICMP, A.address(), B.address());
        assertThat(Icmp.check(packet, 0, packet.length)).isEqualTo(PacketCheck.TOO_SHORT);
        assertThat(Icmp.replyInPlace(packet, 0, packet.length, B.mac(), B.address()))
                .isFalse();
    }

    /** RFC 826, "Packet format" and "Packet Reception". */
    @Test
    void shouldAskAndAnswerByArp() {
        assertThat(Arp.buildRequest(frame, AT, A.mac(), A.address(), B.address()))
                .isEqualTo(42);
        String request = "ffffffffffff" + "02000000000a" + "0806" + "0001080006040001" + "02000000000a" + "0a000001"
                + "000000000000" + "0a000002";
        assertThat(HexFormat.of().formatHex(frame, AT, AT + 42)).isEqualTo(request);
        assertThat(Arp.check(frame, AT, 60)).isEqualTo(PacketCheck.VALID);
        assertThat(Arp.replyInPlace(frame, AT, 60, A.mac(), A.address()))
                .as("not for us")
                .isFalse();
        assertThat(HexFormat.of().formatHex(frame, AT, AT + 42)).isEqualTo(request);
        assertThat(Arp.replyInPlace(frame, AT, 60, B.mac(), B.address())).isTrue();
        String reply = "02000000000a" + "02000000000b" + "0806" + "0001080006040002" + "02000000000b" + "0a000002"
                + "02000000000a" + "0a000001";
        assertThat(HexFormat.of().formatHex(frame, AT, AT + 42)).isEqualTo(reply);
        assertThat(Arp.replyInPlace(frame, AT, 60, A.mac(), A.address()))
                .as("a reply is not answered")
                .isFalse();
        byte[] built = new byte[42];
        assertThat(Arp.buildReply(built, 0, B.mac(), B.address(), A.mac(), A.address()))
                .isEqualTo(42);
        assertThat(HexFormat.of().formatHex(built)).isEqualTo(reply);
    }

    @ParameterizedTest
    @CsvSource({"14, 6, BAD_HEADER", "16, 0x86dd, BAD_HEADER", "18, 0x0810, BAD_HEADER", "12, 0x0800, OTHER_PROTOCOL"})
    void shouldRefuseOtherKindsOfArp(int offset, int value, PacketCheck expected) {
        Arp.buildRequest(frame, AT, A.mac(), A.address(), B.address());
        BigEndian.putShort(frame, AT + offset, value);
        assertThat(Arp.check(frame, AT, 60)).isEqualTo(expected);
        assertThat(Arp.check(frame, AT, 41)).isIn(PacketCheck.TOO_SHORT, PacketCheck.OTHER_PROTOCOL);
    }

    @Test
    void shouldAllocateNothingPerPacket() {
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        exercise(2_000);
        long before = threads.getCurrentThreadAllocatedBytes();
        int valid = exercise(10_000);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before)
                .as("bytes for 10 000 packets of each kind")
                .isLessThan(10_000);
        assertThat(valid).isEqualTo(40_000);
    }

    private int exercise(int rounds) {
        int valid = 0;
        for (int i = 0; i < rounds; i++) {
            int length = Udp.build(frame, AT, A, B, i % 1400, i);
            valid += Udp.check(frame, AT, length) == PacketCheck.VALID ? 1 : 0;
            valid += Udp.replyInPlace(frame, AT, length, B.mac(), B.address()) ? 1 : 0;
            length = Icmp.buildEchoRequest(frame, AT, A, B, 1, i, 56);
            valid += Icmp.replyInPlace(frame, AT, length, B.mac(), B.address()) ? 1 : 0;
            Arp.buildRequest(frame, AT, A.mac(), A.address(), B.address());
            valid += Arp.replyInPlace(frame, AT, 42, B.mac(), B.address()) ? 1 : 0;
        }
        return valid;
    }

    @Test
    void shouldReadAndFormatAddresses() {
        assertThat(Ipv4.parse("255.255.255.255")).isEqualTo(-1);
        assertThat(Ipv4.parse("0.0.0.0")).isZero();
        assertThat(Ipv4.parse("192.168.1.20")).isEqualTo(0xC0A8_0114);
        assertThat(Ipv4.format(0xC0A8_0114)).isEqualTo("192.168.1.20");
        assertThat(Ipv4.format(-1)).isEqualTo("255.255.255.255");
        assertThat(A).hasToString("10.0.0.1:40000 at 02:00:00:00:00:0a");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "1.2.3",
                "1.2.3.",
                ".1.2.3",
                "1.2.3.4.",
                "1.2.3.4.5",
                "1..2.3",
                "256.1.1.1",
                "1.2.3.1000",
                "a.b.c.d",
                "-1.2.3.4",
                "1.2.3.4 ",
                "1.2.3.0x4"
            })
    void shouldRefuseAnythingElseAsAnAddress(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Ipv4.parse(text))
                .withMessageContaining("\"" + text + "\"");
    }
}

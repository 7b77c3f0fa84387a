package io.iolab.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.net.Delivery;
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

/** What the device does about the header of a transmitted packet, virtio 1.2 section 5.1.6.2. */
class TransmitOffloadTest {
    private static final long CSUM = 1;
    private static final long TSO4 = 1L << 11;
    private static final long TSO6 = 1L << 12;
    private static final long HOST_ECN = 1L << 13;
    private static final long USO = 1L << 56;
    /** Memory above all that the lab allocates, used again for every packet. */
    private static final long AREA = 4L << 20;

    private static final long ALL = CSUM | TSO4 | TSO6 | HOST_ECN | USO;

    private final Lab lab =
            new Lab(VirtioNetOptions.defaults(Lab.MAC).withFeatures(NetFeatures.OFFLOADS), (l, dma) -> dma);

    @AfterEach
    void close() {
        lab.close();
    }

    private void offer(byte[] packet) {
        long gpa = lab.allocate(packet.length, 1);
        lab.ram.write(gpa, packet, 0, packet.length);
        lab.rings[Lab.TX].add(gpa, packet.length, 0);
    }

    private void transmit(byte[] packet) {
        offer(packet);
        lab.kick(Lab.TX);
        while (lab.device.workPending()) {
            lab.poll();
        }
    }

    private static PacketOracle oracle(long seed) {
        return new PacketOracle(new SplittableRandom(seed));
    }

    /** Checks the frames that a packet must have become. */
    private static void expectSegments(String what, PacketOracle oracle, byte[] packet, int size, List<byte[]> frames) {
        int headers = oracle.headers();
        int payload = packet.length - headers;
        int count = Math.max(1, (payload + size - 1) / size);
        assertThat(frames).as(what).hasSize(count);
        byte[] together = new byte[payload];
        for (int i = 0; i < count; i++) {
            byte[] frame = frames.get(i);
            PacketOracle.Parsed parsed = PacketOracle.parse(frame);
            assertThat(parsed.payload()).as(what).isEqualTo(headers);
            int part = Math.min(size, payload - i * size);
            assertThat(frame).as(what).hasSize(headers + part);
            System.arraycopy(frame, headers, together, i * size, part);
            if (!oracle.v6) {
                assertThat(parsed.identification()).as(what).isEqualTo(oracle.identification + i & 0xFFFF);
            }
            expectUnchanged(what, oracle, packet, frame);
            if (!oracle.udp) {
                expectTcp(what, oracle, frame, i, i * size, count);
            }
        }
        assertThat(together).as(what).isEqualTo(Arrays.copyOfRange(packet, headers, packet.length));
    }

    /** Ethernet header, tags, and everything in the IP and TCP headers that no segment may change. */
    private static void expectUnchanged(String what, PacketOracle oracle, byte[] packet, byte[] frame) {
        byte[] expected = Arrays.copyOf(packet, oracle.headers());
        byte[] actual = Arrays.copyOf(frame, oracle.headers());
        int ip = oracle.ip();
        int[][] changing = oracle.v6 ? new int[][] {{4, 6}} : new int[][] {{2, 6}, {10, 12}};
        for (int[] range : changing) {
            Arrays.fill(expected, ip + range[0], ip + range[1], (byte) 0);
            Arrays.fill(actual, ip + range[0], ip + range[1], (byte) 0);
        }
        int at = oracle.transport();
        int[][] ofTransport = oracle.udp ? new int[][] {{4, 8}} : new int[][] {{4, 8}, {13, 14}, {16, 18}};
        for (int[] range : ofTransport) {
            Arrays.fill(expected, at + range[0], at + range[1], (byte) 0);
            Arrays.fill(actual, at + range[0], at + range[1], (byte) 0);
        }
        assertThat(actual).as(what).isEqualTo(expected);
    }

    private static void expectTcp(String what, PacketOracle oracle, byte[] frame, int index, int before, int count) {
        int at = oracle.transport();
        assertThat(PacketOracle.get32(frame, at + 4)).as(what).isEqualTo(oracle.sequence + before);
        int flags = oracle.flags;
        flags &= index < count - 1 ? ~(PacketOracle.FIN | PacketOracle.PSH) : -1;
        flags &= index > 0 ? ~PacketOracle.CWR : -1;
        assertThat(frame[at + 13] & 0xFF).as(what).isEqualTo(flags & 0xFF);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @Spec(id = "V28.4", section = "virtio 1.2 5.1.6.2")
    @DisplayName("5.1.6.2: random TCP and UDP packets are cut into frames that a receiver puts together again")
    void shouldCutPacketsWhenGsoIsAskedFor(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        lab.start(ALL, 16);
        for (int i = 0; i < 60; i++) {
            PacketOracle oracle = new PacketOracle(random);
            oracle.v6 = random.nextBoolean();
            oracle.udp = random.nextInt(4) == 0;
            oracle.tags = random.nextInt(3);
            oracle.ipOptions = oracle.v6 ? 8 * random.nextInt(4) : 4 * random.nextInt(11);
            oracle.tcpOptions = oracle.udp ? 0 : 4 * random.nextInt(11);
            oracle.flags = random.nextInt(256);
            oracle.identification = random.nextInt(0x10000);
            oracle.sequence = random.nextInt();
            int size = random.nextInt(4) == 0 ? random.nextInt(1, 20) : random.nextInt(1, 9001);
            int most = Math.min(65535 - 200, size < 20 ? 2000 : 65535);
            byte[] packet = oracle.build(random.nextInt(most), false);
            String what = "seed " + seed + " packet " + i + " of " + packet.length + " by " + size;
            lab.sent.clear();
            byte[] bytes = Header.segments(oracle, size).inFrontOf(packet);
            lab.ram.write(AREA, bytes, 0, bytes.length);
            lab.rings[Lab.TX].add(AREA, bytes.length, 0);
            lab.kick(Lab.TX);
            while (lab.device.workPending()) {
                lab.device.poll(random.nextInt(1, 100));
            }
            expectSegments(what, oracle, packet, size, lab.sent);
        }
        assertThat(lab.device.counters().txHeaderDrops()).isZero();
        assertThat(lab.device.counters().txPacketsCut()).isEqualTo(60);
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(60);
        assertThat(lab.status()).isEqualTo(0xF);
    }

    @ParameterizedTest
    @CsvSource({"false,false,0", "false,true,1", "true,false,33", "true,true,1400"})
    @Spec(id = "V28.3", section = "virtio 1.2 5.1.6.2")
    @DisplayName("5.1.6.2: NEEDS_CSUM finishes the checksum from csum_start to the end")
    void shouldFinishChecksumWhenNeeded(boolean v6, boolean udp, int payload) {
        lab.start(CSUM, 16);
        PacketOracle oracle = oracle(payload + 1);
        oracle.v6 = v6;
        oracle.udp = udp;
        byte[] packet = oracle.build(payload, false);
        transmit(Header.checksum(oracle.transport(), oracle.checksumOffset()).inFrontOf(packet));
        assertThat(lab.sent).hasSize(1);
        PacketOracle.parse(lab.sent.get(0));
        byte[] expected = packet.clone();
        int field = oracle.transport() + oracle.checksumOffset();
        System.arraycopy(lab.sent.get(0), field, expected, field, 2);
        assertThat(lab.sent.get(0)).isEqualTo(expected);
        assertThat(lab.device.counters().txChecksums()).isEqualTo(1);
    }

    @Test
    @DisplayName("5.1.6.2: any sum can be asked for, not only TCP's and UDP's; a result of 0 is written as FFFFh")
    void shouldWriteAllOnesWhenChecksumComesOutZero() {
        lab.start(CSUM, 16);
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 14, (byte) 7);
        frame[30] = (byte) 0xFF;
        frame[31] = (byte) 0xFF;
        transmit(Header.checksum(20, 2).inFrontOf(frame));
        assertThat(PacketOracle.get16(lab.sent.get(0), 22)).isEqualTo(0xFFFF);
    }

    @Test
    @Spec(id = "V28.1", section = "virtio 1.2 5.1.6.2.2")
    @Spec(id = "V28.2", section = "virtio 1.2 5.1.6.2.2")
    @DisplayName("5.1.6.2.2: unknown flags are ignored, and the checksum fields are without NEEDS_CSUM")
    void shouldIgnoreFlagsAndFieldsWhenNoChecksumIsNeeded() {
        lab.start(ALL, 16);
        byte[] frame = Lab.frame(100, 1);
        transmit(new Header(0xFE, 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF).inFrontOf(frame));
        assertThat(lab.sent).containsExactly(frame);
    }

    @Test
    @DisplayName("5.1.6.2: without CSUM the header means nothing")
    void shouldIgnoreHeaderWhenChecksumWasNotNegotiated() {
        lab.start(0, 16);
        byte[] frame = Lab.frame(100, 1);
        transmit(new Header(1, 1, 54, 100, 34, 16, 0).inFrontOf(frame));
        assertThat(lab.sent).containsExactly(frame);
    }

    /** A packet of 3000 bytes of payload and a header that fits it, changed by the caller. */
    private void expectDropped(long features, Header header, PacketOracle oracle, HeaderFault cause) {
        lab.start(features, 16);
        transmit(header.inFrontOf(oracle.build(3000, false)));
        assertThat(lab.sent).isEmpty();
        for (HeaderFault fault : HeaderFault.values()) {
            assertThat(lab.device.counters().txHeaderDrops(fault))
                    .as("%s", fault)
                    .isEqualTo(fault == cause ? 1 : 0);
        }
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(1);
        assertThat(lab.rings[Lab.TX].usedLength(0)).isZero();
        byte[] next = Lab.frame(60, 1);
        lab.transmit(next);
        lab.kick(Lab.TX);
        lab.poll();
        assertThat(lab.sent).as("the next frame passes").containsExactly(next);
        assertThat(lab.status()).as("packet content is never a reason to stop").isEqualTo(0xF);
    }

    @ParameterizedTest
    @CsvSource({
        // flags, type, size, start, offset
        "1, 1, 0, 34, 16, GSO_SIZE",
        "1, 1, 16331, 34, 16, GSO_SIZE",
        "0, 1, 1000, 34, 16, CHECKSUM_MISSING",
        "1, 2, 1000, 34, 16, GSO_TYPE",
        "1, 3, 1000, 34, 16, GSO_TYPE",
        "1, 0x7F, 1000, 34, 16, GSO_TYPE",
        "1, 0x85, 1000, 34, 16, GSO_TYPE",
        "1, 4, 1000, 34, 16, HEADERS",
        "1, 5, 1000, 34, 6, HEADERS",
        "1, 1, 1000, 35, 16, HEADERS",
        "1, 1, 1000, 34, 6, HEADERS",
        "1, 1, 1000, 3054, 16, CHECKSUM_RANGE",
        "1, 0, 0, 3053, 0, CHECKSUM_RANGE",
        "1, 0, 0, 65535, 65535, CHECKSUM_RANGE",
        "1, 0, 0, 34, 3020, CHECKSUM_RANGE",
        "1, 0, 0, 0, 0, CHECKSUM_RANGE",
    })
    @DisplayName("STYLE 11: a header that makes no sense loses its packet only, with a counted cause")
    void shouldDropPacketWhenHeaderIsMalformed(
            int flags, String type, int size, int start, int offset, HeaderFault cause) {
        int gso = Integer.decode(type);
        expectDropped(ALL, new Header(flags, gso, 54, size, start, offset, 0), oracle(1), cause);
    }

    @ParameterizedTest
    @CsvSource({"1,1,GSO_TYPE", "1,4,GSO_TYPE", "1,5,GSO_TYPE", "2049,4,GSO_TYPE", "2049,0x81,GSO_TYPE"})
    @DisplayName("5.1.6.2.1: a kind of segmentation that was not negotiated is refused")
    void shouldDropPacketWhenSegmentationWasNotNegotiated(long features, String type, HeaderFault cause) {
        int gso = Integer.decode(type);
        expectDropped(features, new Header(1, gso, 54, 1000, 34, 16, 0), oracle(1), cause);
    }

    @Test
    @DisplayName("a fragment, or an IPv6 packet that is still to be routed, cannot be cut")
    void shouldDropPacketWhenItIsFragment() {
        lab.start(ALL, 16);
        PacketOracle oracle = oracle(1);
        byte[] packet = oracle.build(3000, false);
        packet[20] = 0x20;
        transmit(Header.segments(oracle, 1000).inFrontOf(packet));
        oracle.v6 = true;
        oracle.ipOptions = 8;
        byte[] routed = oracle.build(3000, false);
        routed[20] = 43;
        routed[54 + 3] = 1;
        transmit(Header.segments(oracle, 1000).inFrontOf(routed));
        assertThat(lab.sent).isEmpty();
        assertThat(lab.device.counters().txHeaderDrops(HeaderFault.HEADERS)).isEqualTo(2);
    }

    @Test
    @Spec(id = "V28.5", section = "virtio 1.2 5.1.6.2.2")
    @DisplayName("5.1.6.2: hdr_len is never believed")
    void shouldIgnoreHeaderLengthWhenCutting() {
        lab.start(ALL, 16);
        PacketOracle oracle = oracle(3);
        byte[] packet = oracle.build(5000, false);
        for (int claimed : new int[] {0, 1, 60, 65535}) {
            lab.sent.clear();
            transmit(new Header(1, 1, claimed, 1460, 34, 16, 0).inFrontOf(packet));
            expectSegments("hdr_len " + claimed, oracle, packet, 1460, lab.sent);
        }
    }

    @Test
    @DisplayName("FramePort: a wire that becomes busy between segments gets the rest later, each once, in order")
    void shouldGoOnWithSegmentsWhenWireWasBusy() {
        SplittableRandom random = new SplittableRandom(5);
        lab.start(ALL, 16);
        PacketOracle oracle = new PacketOracle(random);
        byte[] packet = oracle.build(20_000, false);
        offer(Header.segments(oracle, 700).inFrontOf(packet));
        byte[] behind = Lab.frame(60, 9);
        lab.transmit(behind);
        lab.kick(Lab.TX);
        while (lab.device.workPending()) {
            lab.wireAnswer = random.nextInt(3) == 0 ? Delivery.BUSY : Delivery.ACCEPTED;
            int budget = random.nextInt(1, 5);
            assertThat(lab.device.poll(budget)).isLessThanOrEqualTo(budget);
            if (lab.sent.size() < 29) {
                assertThat(lab.rings[Lab.TX].usedIdx())
                        .as("the chain is used last")
                        .isZero();
            }
        }
        List<byte[]> frames = new ArrayList<>(lab.sent);
        assertThat(frames.removeLast()).isEqualTo(behind);
        expectSegments("busy", oracle, packet, 700, frames);
        assertThat(lab.device.counters().txSegments()).isEqualTo(29);
    }

    @Test
    @DisplayName("2.4: a packet that is being cut is forgotten at reset")
    void shouldForgetSegmentsWhenReset() {
        lab.start(ALL, 16);
        PacketOracle oracle = oracle(1);
        offer(Header.segments(oracle, 100).inFrontOf(oracle.build(3000, false)));
        lab.kick(Lab.TX);
        lab.device.poll(3);
        assertThat(lab.sent).hasSize(3);
        lab.start(ALL, 16);
        lab.poll();
        assertThat(lab.sent).hasSize(3);
        assertThat(lab.rings[Lab.TX].usedIdx()).isZero();
    }

    @Test
    @DisplayName("one byte a segment: the budget bounds what a poll does, and every byte arrives")
    void shouldKeepToBudgetWhenSegmentsAreTiny() {
        lab.start(ALL, 16);
        PacketOracle oracle = oracle(8);
        byte[] packet = oracle.build(600, false);
        offer(Header.segments(oracle, 1).inFrontOf(packet));
        lab.kick(Lab.TX);
        assertThat(lab.device.poll(64)).isEqualTo(64);
        assertThat(lab.sent).hasSize(64);
        while (lab.device.workPending()) {
            lab.poll();
        }
        expectSegments("tiny", oracle, packet, 1, lab.sent);
    }

    @Test
    @DisplayName("random headers in front of random packets never stop the device")
    void shouldSurviveWhenHeadersAreRandom() {
        SplittableRandom random = new SplittableRandom(77);
        lab.start(ALL, 16);
        lab.keepSent = false;
        int[] types = {0, 1, 3, 4, 5, 0x81, 0x84, 255};
        for (int i = 0; i < 20_000; i++) {
            PacketOracle oracle = new PacketOracle(random);
            oracle.v6 = random.nextBoolean();
            oracle.udp = random.nextBoolean();
            byte[] packet = oracle.build(random.nextInt(400), false);
            for (int n = random.nextInt(4); n > 0; n--) {
                packet[random.nextInt(12, Math.min(packet.length, 80))] = (byte) random.nextInt();
            }
            byte[] cut = Arrays.copyOf(packet, random.nextInt(4) == 0 ? random.nextInt(packet.length) : packet.length);
            Header header = new Header(
                    random.nextInt(4),
                    types[random.nextInt(types.length)],
                    random.nextInt(100),
                    random.nextInt(3) == 0 ? random.nextInt(65536) : random.nextInt(200),
                    random.nextBoolean() ? oracle.transport() : random.nextInt(600),
                    random.nextBoolean() ? oracle.checksumOffset() : random.nextInt(600),
                    0);
            byte[] bytes = header.inFrontOf(cut);
            lab.ram.write(AREA, bytes, 0, bytes.length);
            lab.rings[Lab.TX].add(AREA, bytes.length, 0);
            lab.kick(Lab.TX);
            for (int n = 0; lab.device.workPending() && n < 1000; n++) {
                lab.poll();
            }
        }
        assertThat(lab.status()).isEqualTo(0xF);
        assertThat(lab.rings[Lab.TX].usedIdx()).isEqualTo(20_000);
    }
}

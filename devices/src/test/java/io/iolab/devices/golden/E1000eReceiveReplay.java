package io.iolab.devices.golden;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The receive part of the 82574L recording: legacy and extended descriptors, RSS, packet split, lack of descriptors. */
final class E1000eReceiveReplay {
    private static final long RING = Nic.RX_RING;
    private static final long BUFFER = E1000eInterruptReplay.RX_BUFFER;
    private static final long BUFFER_STEP = 0x2000;
    private static final long ONES = 0xFFFF_FFFFL;
    /** EN, BAM, SECRC. */
    private static final int RECEIVE = 0x2 | 0x8000 | 1 << 26;

    private static final int EXTENDED = 0x8000;
    /** Addresses and ports of the first row of the RSS verification suite. */
    private static final byte[] SOURCE = {66, 9, (byte) 149, (byte) 187};

    private static final byte[] TARGET = {(byte) 161, (byte) 142, 100, 80};
    private static final byte[] KEY =
            Bytes.hex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");
    private static final byte[] TEXT = "payload of twenty b.".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] PLAIN = Bytes.join(Nic.MAC, Nic.PEER, Nic.BODY);
    private static final byte[] TCP = ip(Packets.ipv4(6, SOURCE, TARGET, tcp(TEXT, 0x18), 0));
    private static final byte[] ACK = ip(Packets.ipv4(6, SOURCE, TARGET, tcp(new byte[0], 0x10), 0));
    private static final byte[] UDP =
            ip(Packets.ipv4(17, SOURCE, TARGET, Packets.udp(SOURCE, TARGET, 2794, 1766, TEXT), 0));
    private static final byte[] BAD_IP = flipped(TCP, 15, 4);
    private static final byte[] BAD_TCP = flipped(TCP, TCP.length - 1, 1);
    private static final byte[] ICMP =
            ip(Packets.ipv4(1, SOURCE, TARGET, Bytes.join(Bytes.hex("0800f7ff"), new byte[40]), 0));
    private static final byte[] FRAGMENT = ip(Packets.ipv4(17, SOURCE, TARGET, new byte[48], 0x2000));
    private static final byte[] IPV6_TCP = Bytes.join(
            Nic.MAC,
            Nic.PEER,
            Bytes.hex("86dd"),
            new Bytes().be32(6L << 28).be16(20).u8(6, 64).toArray(),
            Bytes.ramp(32),
            Packets.tcp(new byte[0], new byte[0], 1, 2, new byte[0], 0x18));
    private static final byte[] TAGGED = Bytes.join(Nic.MAC, Nic.PEER, Bytes.hex("81002123"), Nic.BODY);

    private final Nic nic;
    private final Bench bench;
    private final int vectors;

    E1000eReceiveReplay(Nic nic, int vectors) {
        this.nic = nic;
        this.bench = nic.bench();
        this.vectors = vectors;
    }

    private static byte[] tcp(byte[] payload, int flags) {
        return Packets.tcp(SOURCE, TARGET, 2794, 1766, payload, flags);
    }

    private static byte[] ip(byte[] packet) {
        return Bytes.join(Nic.MAC, Nic.PEER, new byte[] {8, 0}, packet);
    }

    private static byte[] flipped(byte[] frame, int at, int bits) {
        byte[] copy = frame.clone();
        copy[at] ^= (byte) bits;
        return copy;
    }

    private static byte[] longer(byte[] frame, int bytes) {
        return Bytes.join(frame, new byte[bytes]);
    }

    Map<String, Object> run() {
        Map<String, Object> rx = new LinkedHashMap<>();
        nic.write("RAL0", 0x12005452);
        nic.write("RAH0", 0x80005634L);
        nic.write("IMS", E1000eInterruptReplay.RXQ0 | E1000eInterruptReplay.RXQ1 | E1000eInterruptReplay.OTHER);
        nic.write("MRQC", 0);
        nic.write("RXCSUM", 0x300);
        rx.put("legacy", legacy());
        rx.put("legacy_without_SECRC", withoutSecrc(0));
        rx.put("extended_without_SECRC", withoutSecrc(EXTENDED));
        rx.put("extended", extended());
        rx.put("rss", hashes());
        nic.write("RXCSUM", 0x300);
        packetSplit(rx);
        scarcity(rx);
        return rx;
    }

    private void ring(int rctl, int rfctl) {
        ring(rctl, rfctl, false, "");
    }

    private void ring(int rctl, int rfctl, boolean split, String queue) {
        nic.write("RCTL", 0);
        nic.write("RFCTL", rfctl);
        bench.fill(RING, 0x1000, 0);
        bench.fill(BUFFER, 0x40000, 0xAA);
        for (int i = 0; i < 32; i++) {
            long buffer = BUFFER + BUFFER_STEP * i;
            Bytes descriptor = new Bytes().le64(buffer);
            if (split) {
                descriptor.le64(buffer + 0x400).le64(buffer + 0x800).le64(buffer + 0xC00);
            } else {
                descriptor.le64(0);
            }
            bench.write(RING + (split ? 32L : 16L) * i, descriptor.toArray());
        }
        nic.write("RDBAL" + queue, RING);
        nic.write("RDBAH" + queue, 0);
        nic.write("RDLEN" + queue, split ? 1024 : 512);
        nic.write("RDH" + queue, 0);
        nic.write("RDT" + queue, split ? 62 : 31);
        nic.write("RCTL", rctl);
        nic.write("ICR", ONES);
        bench.takeMsixVectors(vectors);
    }

    private Map<String, Object> one(byte[] frame, int slot) {
        return one(frame, slot, 16, "", 128);
    }

    private Map<String, Object> one(byte[] frame, int slot, int size, String queue, int shown) {
        long head = nic.read("RDH" + queue);
        bench.advanceMillis(5);
        bench.deliver(frame);
        Map<String, Object> seen = new LinkedHashMap<>();
        boolean accepted = bench.await(() -> nic.read("RDH" + queue) != head, 40, 5);
        seen.put("sent", frame.length <= 256 ? Bytes.hex(frame) : frame.length + " bytes");
        seen.put("accepted", accepted);
        seen.put("desc", bench.hex(RING + (long) size * slot, size));
        seen.put("buf", bench.hex(BUFFER + BUFFER_STEP * slot, Math.min(frame.length + 8, shown)));
        seen.put("RDH", nic.read("RDH" + queue));
        seen.put("ICR", nic.hex("ICR"));
        seen.put("vectors", bench.takeMsixVectors(vectors));
        nic.write("ICR", ONES);
        return seen;
    }

    private void each(Map<String, Object> into, List<String> names, List<byte[]> frames) {
        for (int i = 0; i < names.size(); i++) {
            into.put(names.get(i), one(frames.get(i), i));
        }
    }

    private Map<String, Object> legacy() {
        Map<String, Object> seen = new LinkedHashMap<>();
        ring(RECEIVE, 0);
        each(
                seen,
                List.of("unicast_60", "short_14", "tcp", "udp", "bad_ip_csum", "bad_tcp_csum"),
                List.of(PLAIN, java.util.Arrays.copyOf(PLAIN, 14), TCP, UDP, BAD_IP, BAD_TCP));
        return seen;
    }

    private List<Object> withoutSecrc(int rfctl) {
        ring(RECEIVE & ~(1 << 26), rfctl);
        return List.of(one(PLAIN, 0), bench.hex(RING + 16, 16), bench.hex(BUFFER + BUFFER_STEP, 8));
    }

    private Map<String, Object> extended() {
        Map<String, Object> seen = new LinkedHashMap<>();
        ring(RECEIVE, EXTENDED);
        each(
                seen,
                List.of("unicast_60", "tcp", "tcp_pure_ack", "udp", "bad_ip_csum", "bad_tcp_csum", "icmp"),
                List.of(PLAIN, TCP, ACK, UDP, BAD_IP, BAD_TCP, ICMP));
        ring(RECEIVE, EXTENDED);
        seen.put("ipv4_fragment", one(FRAGMENT, 0));
        seen.put("ipv6_tcp_bad_csum", one(IPV6_TCP, 1));
        seen.put("vlan_tag_not_stripped", one(TAGGED, 2));
        nic.write("CTRL", nic.read("CTRL") | 1 << 30);
        seen.put("vlan_tag_stripped_VME", one(TAGGED, 3));
        nic.write("CTRL", nic.read("CTRL") & ~(1L << 30));
        ring(RECEIVE, 0x9000);
        seen.put("tcp_pure_ack_ACK_DIS", one(ACK, 0));
        ring(RECEIVE | 3 << 16, EXTENDED);
        Map<String, Object> first = one(longer(PLAIN, 240), 0);
        seen.put("two_descriptors_of_256", List.of(first, bench.hex(RING + 16, 16), nic.read("RDH")));
        ring(RECEIVE | 2 << 27, EXTENDED);
        seen.put("flxbuf_2k", one(longer(PLAIN, 1300), 0, 16, "", 16));
        return seen;
    }

    private Map<String, Object> hashes() {
        Map<String, Object> seen = new LinkedHashMap<>();
        for (int i = 0; i < 10; i++) {
            bench.write(0, 0x5C80 + 4 * i, 4, io.iolab.devices.dma.LittleEndian.getInt(KEY, 4 * i) & ONES);
        }
        redirect(0);
        nic.write("RXCSUM", 0x2300);
        nic.write("MRQC", 0x00370001);
        seen.put("MRQC_read", nic.hex("MRQC"));
        ring(RECEIVE, EXTENDED);
        each(
                seen,
                List.of("tcp", "udp", "icmp", "fragment", "not_ip", "ipv6_tcp"),
                List.of(TCP, UDP, ICMP, FRAGMENT, PLAIN, IPV6_TCP));
        redirect(0x8080_8080L);
        ring(RECEIVE, EXTENDED, false, "1");
        seen.put("tcp_queue_1", one(TCP, 0, 16, "1", 128));
        nic.write("MRQC", 0x00370000);
        ring(RECEIVE, EXTENDED);
        seen.put("fields_set_but_enable_0", one(TCP, 0));
        nic.write("MRQC", 0);
        nic.write("RXCSUM", 0x300);
        nic.write("MRQC", 0x00370001);
        ring(RECEIVE, EXTENDED);
        seen.put("enabled_but_PCSD_0", one(TCP, 0));
        nic.write("MRQC", 0);
        return seen;
    }

    private void redirect(long entries) {
        for (int i = 0; i < 32; i++) {
            bench.write(0, 0x5C00 + 4 * i, 4, entries);
        }
    }

    private void packetSplit(Map<String, Object> rx) {
        Map<String, Object> seen = new LinkedHashMap<>();
        nic.write("PSRCTL", 0x01010104);
        rx.put("PSRCTL", nic.hex("PSRCTL"));
        ring(RECEIVE | 1 << 10, EXTENDED, true, "");
        seen.put("tcp", one(TCP, 0, 32, "", 128));
        seen.put("tcp_data_buffer", bench.hex(BUFFER + 0x400, 32));
        seen.put("not_ip", one(PLAIN, 1, 32, "", 128));
        seen.put("icmp", one(ICMP, 2, 32, "", 128));
        byte[] big = ip(Packets.ipv4(17, SOURCE, TARGET, Packets.udp(SOURCE, TARGET, 1, 2, new byte[1400]), 0));
        seen.put("udp_1400", one(big, 3, 32, "", 64));
        rx.put("packet_split", seen);
        nic.write("RCTL", 0);
        nic.write("PSRCTL", 0x00040402);
    }

    private void scarcity(Map<String, Object> rx) {
        ring(RECEIVE, EXTENDED);
        nic.write("RDT", nic.read("RDH"));
        bench.deliver(PLAIN);
        bench.advanceMillis(100);
        rx.put("no_descriptor", values("RDH", "ICR", "RNBC", "MPC"));
        nic.write("RDT", 2);
        bench.await(() -> nic.read("RDH") != 0, 40, 5);
        rx.put("arrives_after_RDT", values("RDH", "ICR"));
        nic.write("ICR", ONES);
        ring(RECEIVE, EXTENDED);
        nic.write("RSRPD", 100);
        rx.put("small_packet_detect", one(PLAIN, 0));
        nic.write("RSRPD", 0);
        bench.deliver(longer(PLAIN, 1600));
        bench.advanceMillis(50);
        rx.put("too_long_without_LPE", values("RDH", "ROC"));
        rx.put("stats_nonzero", statistics());
        rx.put("stats_second_read_nonzero", statistics());
    }

    private Map<String, Object> values(String... names) {
        Map<String, Object> seen = new LinkedHashMap<>();
        for (String name : names) {
            seen.put(name, name.equals("ICR") ? nic.hex(name) : (Object) nic.read(name));
        }
        return seen;
    }

    private Map<String, Object> statistics() {
        Map<String, Object> seen = new LinkedHashMap<>();
        for (String name : nic.statistics().keySet()) {
            long value = nic.read(name);
            if (value != 0) {
                seen.put(name, value);
            }
        }
        return seen;
    }
}

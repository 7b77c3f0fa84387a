package io.iolab.devices.virtio.net;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Builds packets and takes them apart again, by the RFCs and with plain loops: the other opinion on lengths and checksums.
 * Nothing here is shared with the devices.
 */
final class PacketOracle {
    static final int FIN = 0x01;
    static final int PSH = 0x08;
    static final int ACK = 0x10;
    static final int CWR = 0x80;

    final SplittableRandom random;
    boolean v6;
    boolean udp;
    /** VLAN tags, 0 to 2. */
    int tags;
    /** Bytes of IPv4 options, a multiple of 4 up to 40; of IPv6 extension headers, a multiple of 8. */
    int ipOptions;

    int tcpOptions;
    int flags = ACK;
    int identification = 0xFFFE;
    int sequence = 0xFFFF_F000;
    byte[] source = {2, 0, 0, 0, 0, 1};
    byte[] destination = Lab.MAC;
    int[] ports = {1234, 80};
    byte[] addresses4 = {10, 0, 0, 1, 10, 0, 0, 2};

    PacketOracle(SplittableRandom random) {
        this.random = random;
    }

    /** What {@link #parse} finds; offsets from the frame's start. */
    record Parsed(
            boolean v6, int tags, int ip, int identification, int transport, int payload, int end, int protocol) {}

    int ip() {
        return 14 + 4 * tags;
    }

    int transport() {
        return ip() + (v6 ? 40 : 20) + ipOptions;
    }

    int headers() {
        return transport() + (udp ? 8 : 20 + tcpOptions);
    }

    int checksumOffset() {
        return udp ? 6 : 16;
    }

    /** A packet whose transport checksum is complete if {@code complete}, else only the pseudo-header's sum. */
    byte[] build(int payload, boolean complete) {
        byte[] packet = new byte[headers() + payload];
        random.nextBytes(packet);
        System.arraycopy(destination, 0, packet, 0, 6);
        System.arraycopy(source, 0, packet, 6, 6);
        for (int t = 0; t < tags; t++) {
            put16(packet, 12 + 4 * t, t == 0 && tags == 2 ? 0x88A8 : 0x8100);
            put16(packet, 14 + 4 * t, 5 + t);
        }
        put16(packet, ip() - 2, v6 ? 0x86DD : 0x0800);
        if (v6) {
            ipv6(packet);
        } else {
            ipv4(packet);
        }
        transport(packet);
        int segment = packet.length - transport();
        put16(packet, transport() + checksumOffset(), 0);
        int pseudo = pseudo(packet, ip(), v6, udp ? 17 : 6, segment);
        put16(
                packet,
                transport() + checksumOffset(),
                complete ? ~sum(pseudo, packet, transport(), packet.length) & 0xFFFF : pseudo);
        return packet;
    }

    private void ipv4(byte[] packet) {
        int ip = ip();
        packet[ip] = (byte) (0x45 + ipOptions / 4);
        put16(packet, ip + 2, packet.length - ip);
        put16(packet, ip + 4, identification);
        put16(packet, ip + 6, 0x4000);
        packet[ip + 9] = (byte) (udp ? 17 : 6);
        System.arraycopy(addresses4, 0, packet, ip + 12, 8);
        Arrays.fill(packet, ip + 20, ip + 20 + ipOptions, (byte) 1);
        put16(packet, ip + 10, 0);
        put16(packet, ip + 10, ~sum(0, packet, ip, ip + 20 + ipOptions) & 0xFFFF);
    }

    private void ipv6(byte[] packet) {
        int ip = ip();
        packet[ip] = (byte) (0x60 | packet[ip] & 0xF);
        put16(packet, ip + 4, packet.length - ip - 40);
        packet[ip + 6] = (byte) (ipOptions > 0 ? 60 : udp ? 17 : 6);
        if (ipOptions > 0) {
            packet[ip + 40] = (byte) (udp ? 17 : 6);
            packet[ip + 41] = (byte) (ipOptions / 8 - 1);
        }
    }

    private void transport(byte[] packet) {
        int at = transport();
        put16(packet, at, ports[0]);
        put16(packet, at + 2, ports[1]);
        if (udp) {
            put16(packet, at + 4, packet.length - at);
        } else {
            put32(packet, at + 4, sequence);
            packet[at + 12] = (byte) (5 + tcpOptions / 4 << 4);
            packet[at + 13] = (byte) flags;
        }
    }

    /** Takes a plain frame apart, and fails unless all its lengths and checksums are right. */
    static Parsed parse(byte[] frame) {
        int at = 12;
        int tags = 0;
        while (get16(frame, at) == 0x8100 || get16(frame, at) == 0x88A8) {
            at += 4;
            tags++;
        }
        int type = get16(frame, at);
        int ip = at + 2;
        boolean v6 = type == 0x86DD;
        require(v6 || type == 0x0800, "type " + type);
        int header = v6 ? 40 : (frame[ip] & 0xF) * 4;
        int protocol = frame[ip + (v6 ? 6 : 9)] & 0xFF;
        int end = ip + (v6 ? 40 + get16(frame, ip + 4) : get16(frame, ip + 2));
        require(end == frame.length, "IP says " + end + ", the frame has " + frame.length);
        if (v6 && protocol == 60) {
            protocol = frame[ip + 40] & 0xFF;
            header += 8 * (1 + (frame[ip + 41] & 0xFF));
        }
        if (!v6) {
            require(sum(0, frame, ip, ip + header) == 0xFFFF, "IPv4 header checksum");
        }
        int transport = ip + header;
        int payload = transport + (protocol == 17 ? 8 : (frame[transport + 12] >>> 4 & 0xF) * 4);
        if (protocol == 17) {
            require(get16(frame, transport + 4) == end - transport, "UDP length");
            require(get16(frame, transport + 6) != 0, "UDP checksum is there");
        }
        int pseudo = pseudo(frame, ip, v6, protocol, end - transport);
        require(sum(pseudo, frame, transport, end) == 0xFFFF, "transport checksum");
        int identification = v6 ? 0 : get16(frame, ip + 4);
        return new Parsed(v6, tags, ip, identification, transport, payload, end, protocol);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static int pseudo(byte[] bytes, int ip, boolean v6, int protocol, int segment) {
        int addresses = v6 ? ip + 8 : ip + 12;
        int sum = sum(0, bytes, addresses, addresses + (v6 ? 32 : 8));
        return fold(fold(sum + protocol) + (segment >>> 16) + (segment & 0xFFFF));
    }

    static int sum(int start, byte[] bytes, int from, int to) {
        int sum = start;
        for (int i = from; i < to; i++) {
            int value = bytes[i] & 0xFF;
            sum = fold(sum + ((i - from) % 2 == 0 ? value << 8 : value));
        }
        return sum;
    }

    private static int fold(int sum) {
        return sum > 0xFFFF ? sum - 0xFFFF : sum;
    }

    static int get16(byte[] bytes, int at) {
        return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
    }

    static int get32(byte[] bytes, int at) {
        return get16(bytes, at) << 16 | get16(bytes, at + 2);
    }

    static void put16(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }

    static void put32(byte[] bytes, int at, int value) {
        put16(bytes, at, value >>> 16);
        put16(bytes, at + 2, value);
    }
}

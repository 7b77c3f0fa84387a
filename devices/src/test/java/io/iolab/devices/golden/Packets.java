package io.iolab.devices.golden;

/** IPv4, TCP and UDP packets with correct checksums (RFC 791, 9293, 768, 1071). */
final class Packets {
    private Packets() {}

    /** Ones-complement sum of big-endian words, folded, not inverted. */
    static int sum(byte[] data) {
        int sum = 0;
        for (int i = 0; i < data.length; i += 2) {
            sum += (data[i] & 0xFF) << 8 | (i + 1 < data.length ? data[i + 1] & 0xFF : 0);
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return sum;
    }

    static byte[] put16(byte[] packet, int offset, int value) {
        byte[] copy = packet.clone();
        copy[offset] = (byte) (value >>> 8);
        copy[offset + 1] = (byte) value;
        return copy;
    }

    static byte[] ipv4(int protocol, byte[] source, byte[] target, byte[] payload, int fragment) {
        byte[] header = ipv4Header(20 + payload.length, protocol, source, target, fragment);
        return Bytes.join(put16(header, 10, ~sum(header)), payload);
    }

    /** Identification 1, time to live 64, checksum 0. */
    static byte[] ipv4Header(int totalLength, int protocol, byte[] source, byte[] target, int fragment) {
        return new Bytes()
                .u8(0x45, 0)
                .be16(totalLength)
                .be16(1)
                .be16(fragment)
                .u8(64, protocol)
                .be16(0)
                .raw(source)
                .raw(target)
                .toArray();
    }

    /** Sequence number 1, window 8192, checksum 0. */
    static byte[] tcpHeader(int sourcePort, int targetPort, int flags) {
        return new Bytes()
                .be16(sourcePort)
                .be16(targetPort)
                .be32(1)
                .be32(0)
                .u8(0x50, flags)
                .be16(8192)
                .be32(0)
                .toArray();
    }

    static byte[] tcp(byte[] source, byte[] target, int sourcePort, int targetPort, byte[] payload, int flags) {
        byte[] segment = Bytes.join(tcpHeader(sourcePort, targetPort, flags), payload);
        return put16(segment, 16, ~sum(Bytes.join(pseudo(source, target, 6, segment.length), segment)));
    }

    static byte[] udp(byte[] source, byte[] target, int sourcePort, int targetPort, byte[] payload) {
        int length = 8 + payload.length;
        byte[] datagram = Bytes.join(
                new Bytes()
                        .be16(sourcePort)
                        .be16(targetPort)
                        .be16(length)
                        .be16(0)
                        .toArray(),
                payload);
        int checksum = ~sum(Bytes.join(pseudo(source, target, 17, length), datagram)) & 0xFFFF;
        return put16(datagram, 6, checksum == 0 ? 0xFFFF : checksum);
    }

    static byte[] pseudo(byte[] source, byte[] target, int protocol, int length) {
        return new Bytes().raw(source).raw(target).u8(0, protocol).be16(length).toArray();
    }
}

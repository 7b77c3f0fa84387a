package io.iolab.devices.net;

/**
 * UDP (RFC 768) over IPv4 in an untagged Ethernet frame, built and checked in place.
 *
 * <pre>
 *   0        14     34    42
 *   Ethernet | IPv4 | UDP | payload ...
 * </pre>
 */
public final class Udp {
    public static final int SOURCE_PORT = 0;
    public static final int DESTINATION_PORT = 2;
    /** Header and payload. */
    public static final int LENGTH = 4;

    public static final int CHECKSUM = 6;
    public static final int HEADER_BYTES = 8;
    /** Where the payload of a frame that {@link #build} makes starts. */
    public static final int PAYLOAD_IN_FRAME = EthernetFrame.HEADER_BYTES + Ipv4.HEADER_BYTES + HEADER_BYTES;

    private Udp() {}

    /**
     * Completes a frame whose payload is in place, {@link #PAYLOAD_IN_FRAME} bytes behind {@code at}: writes the three headers
     * and both checksums. Nothing is padded.
     *
     * @param payloadBytes 0 to 65 507
     * @param identification of the IPv4 packet
     * @return length of the frame
     */
    public static int build(
            byte[] frame, int at, UdpEndpoint from, UdpEndpoint to, int payloadBytes, int identification) {
        int ip = at + EthernetFrame.writeHeader(frame, at, to.mac(), from.mac(), EthernetFrame.TYPE_IPV4);
        int segment = HEADER_BYTES + payloadBytes;
        int udp = ip
                + Ipv4.writeHeader(frame, ip, segment, identification, Ipv4.PROTOCOL_UDP, from.address(), to.address());
        BigEndian.putShort(frame, udp + SOURCE_PORT, from.port());
        BigEndian.putShort(frame, udp + DESTINATION_PORT, to.port());
        BigEndian.putShort(frame, udp + LENGTH, segment);
        BigEndian.putShort(frame, udp + CHECKSUM, 0);
        int checksum =
                InternetChecksum.finish(InternetChecksum.add(pseudoHeader(frame, ip, segment), frame, udp, segment));
        // A field of zero means that the sender computed none.
        BigEndian.putShort(frame, udp + CHECKSUM, checksum == 0 ? 0xFFFF : checksum);
        return PAYLOAD_IN_FRAME + payloadBytes;
    }

    private static long pseudoHeader(byte[] frame, int ip, int segment) {
        return InternetChecksum.pseudoHeader(
                Ipv4.source(frame, ip), Ipv4.destination(frame, ip), Ipv4.PROTOCOL_UDP, segment);
    }

    /** Checks everything from the EtherType to the UDP checksum; a tag and Ethernet's padding are fine. */
    public static PacketCheck check(byte[] frame, int at, int length) {
        PacketCheck outer = Ipv4.checkFrame(frame, at, length, Ipv4.PROTOCOL_UDP);
        if (outer != PacketCheck.VALID) {
            return outer;
        }
        int ip = at + EthernetFrame.payloadOffset(frame, at, length);
        int udp = ip + Ipv4.headerLength(frame, ip);
        int room = Ipv4.totalLength(frame, ip) - Ipv4.headerLength(frame, ip);
        if (room < HEADER_BYTES) {
            return PacketCheck.TOO_SHORT;
        }
        int segment = BigEndian.getShort(frame, udp + LENGTH);
        if (segment < HEADER_BYTES || segment > room) {
            return PacketCheck.BAD_LENGTH;
        }
        if (BigEndian.getShort(frame, udp + CHECKSUM) == 0) {
            return PacketCheck.VALID;
        }
        long sum = InternetChecksum.add(pseudoHeader(frame, ip, segment), frame, udp, segment);
        return InternetChecksum.isValid(sum) ? PacketCheck.VALID : PacketCheck.BAD_CHECKSUM;
    }

    /** Where the UDP header of a {@linkplain #check valid} frame starts, in bytes from the destination address on. */
    public static int headerOffset(byte[] frame, int at, int length) {
        int ip = EthernetFrame.payloadOffset(frame, at, length);
        return ip + Ipv4.headerLength(frame, at + ip);
    }

    /** Bytes of payload of a valid frame; they start {@link #HEADER_BYTES} behind {@link #headerOffset}. */
    public static int payloadLength(byte[] frame, int at, int length) {
        return BigEndian.getShort(frame, at + headerOffset(frame, at, length) + LENGTH) - HEADER_BYTES;
    }

    /**
     * Turns a datagram for this address around, payload unchanged: an echo service's answer (RFC 862). The checksums stay
     * right, since a sum has no order.
     *
     * @return false, and nothing changed, if it is no valid datagram or not for {@code ownAddress}
     */
    public static boolean replyInPlace(byte[] frame, int at, int length, long ownMac, int ownAddress) {
        if (check(frame, at, length) != PacketCheck.VALID) {
            return false;
        }
        int ip = at + EthernetFrame.payloadOffset(frame, at, length);
        if (Ipv4.destination(frame, ip) != ownAddress) {
            return false;
        }
        int udp = at + headerOffset(frame, at, length);
        EthernetFrame.turnAround(frame, at, ownMac);
        Ipv4.turnAround(frame, ip);
        int port = BigEndian.getShort(frame, udp + SOURCE_PORT);
        BigEndian.putShort(frame, udp + SOURCE_PORT, BigEndian.getShort(frame, udp + DESTINATION_PORT));
        BigEndian.putShort(frame, udp + DESTINATION_PORT, port);
        return true;
    }
}

package io.iolab.devices.net;

/** ICMP echo (RFC 792, "Echo or Echo Reply Message") over IPv4 in an untagged Ethernet frame, built and checked in place. */
public final class Icmp {
    public static final int TYPE = 0;
    public static final int CODE = 1;
    public static final int CHECKSUM = 2;
    public static final int IDENTIFIER = 4;
    public static final int SEQUENCE = 6;
    public static final int HEADER_BYTES = 8;

    public static final int ECHO_REPLY = 0;
    public static final int ECHO_REQUEST = 8;

    /** Where the data of a frame that {@link #buildEchoRequest} makes starts. */
    public static final int PAYLOAD_IN_FRAME = EthernetFrame.HEADER_BYTES + Ipv4.HEADER_BYTES + HEADER_BYTES;

    private Icmp() {}

    /**
     * Completes an echo request whose data is in place, {@link #PAYLOAD_IN_FRAME} bytes behind {@code at}. Nothing is padded.
     *
     * @param from its port is not used, as is that of {@code to}
     * @param identifier by which the sender tells its requests from others'
     * @return length of the frame
     */
    public static int buildEchoRequest(
            byte[] frame, int at, UdpEndpoint from, UdpEndpoint to, int identifier, int sequence, int payloadBytes) {
        int ip = at + EthernetFrame.writeHeader(frame, at, to.mac(), from.mac(), EthernetFrame.TYPE_IPV4);
        int message = HEADER_BYTES + payloadBytes;
        int icmp =
                ip + Ipv4.writeHeader(frame, ip, message, sequence, Ipv4.PROTOCOL_ICMP, from.address(), to.address());
        BigEndian.putShort(frame, icmp + TYPE, ECHO_REQUEST << 8);
        BigEndian.putShort(frame, icmp + CHECKSUM, 0);
        BigEndian.putShort(frame, icmp + IDENTIFIER, identifier);
        BigEndian.putShort(frame, icmp + SEQUENCE, sequence);
        BigEndian.putShort(frame, icmp + CHECKSUM, InternetChecksum.of(frame, icmp, message));
        return PAYLOAD_IN_FRAME + payloadBytes;
    }

    /** Checks everything from the EtherType to the ICMP checksum; a tag and Ethernet's padding are fine. */
    public static PacketCheck check(byte[] frame, int at, int length) {
        PacketCheck outer = Ipv4.checkFrame(frame, at, length, Ipv4.PROTOCOL_ICMP);
        if (outer != PacketCheck.VALID) {
            return outer;
        }
        int ip = at + EthernetFrame.payloadOffset(frame, at, length);
        int message = Ipv4.totalLength(frame, ip) - Ipv4.headerLength(frame, ip);
        if (message < HEADER_BYTES) {
            return PacketCheck.TOO_SHORT;
        }
        long sum = InternetChecksum.add(0, frame, ip + Ipv4.headerLength(frame, ip), message);
        return InternetChecksum.isValid(sum) ? PacketCheck.VALID : PacketCheck.BAD_CHECKSUM;
    }

    /** Where the ICMP header of a {@linkplain #check valid} frame starts, in bytes from the destination address on. */
    public static int headerOffset(byte[] frame, int at, int length) {
        int ip = EthernetFrame.payloadOffset(frame, at, length);
        return ip + Ipv4.headerLength(frame, at + ip);
    }

    /**
     * Turns an echo request for this address into its reply.
     *
     * @return false, and nothing changed, if it is no valid echo request or not for {@code ownAddress}
     */
    public static boolean replyInPlace(byte[] frame, int at, int length, long ownMac, int ownAddress) {
        if (check(frame, at, length) != PacketCheck.VALID) {
            return false;
        }
        int ip = at + EthernetFrame.payloadOffset(frame, at, length);
        int icmp = at + headerOffset(frame, at, length);
        int typeAndCode = BigEndian.getShort(frame, icmp + TYPE);
        if (typeAndCode != ECHO_REQUEST << 8 || Ipv4.destination(frame, ip) != ownAddress) {
            return false;
        }
        EthernetFrame.turnAround(frame, at, ownMac);
        Ipv4.turnAround(frame, ip);
        BigEndian.putShort(frame, icmp + TYPE, ECHO_REPLY);
        int checksum = BigEndian.getShort(frame, icmp + CHECKSUM);
        BigEndian.putShort(frame, icmp + CHECKSUM, InternetChecksum.update(checksum, typeAndCode, ECHO_REPLY));
        return true;
    }
}

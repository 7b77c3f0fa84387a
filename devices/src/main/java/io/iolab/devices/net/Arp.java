package io.iolab.devices.net;

/** ARP for IPv4 on Ethernet (RFC 826), in an untagged frame, built and checked in place. */
public final class Arp {
    public static final int HARDWARE_TYPE = 0;
    public static final int PROTOCOL_TYPE = 2;
    public static final int HARDWARE_LENGTH = 4;
    public static final int PROTOCOL_LENGTH = 5;
    public static final int OPERATION = 6;
    public static final int SENDER_MAC = 8;
    public static final int SENDER_ADDRESS = 14;
    public static final int TARGET_MAC = 18;
    public static final int TARGET_ADDRESS = 24;
    public static final int PACKET_BYTES = 28;

    public static final int REQUEST = 1;
    public static final int REPLY = 2;

    private static final int ETHERNET = 1;
    private static final int FRAME_BYTES = EthernetFrame.HEADER_BYTES + PACKET_BYTES;
    /** 6 and 4, the two length bytes. */
    private static final int LENGTHS = 0x0604;

    private Arp() {}

    /**
     * Writes a broadcast request: who has {@code targetAddress}?
     *
     * @return length of the frame, not padded: 42
     */
    public static int buildRequest(byte[] frame, int at, long senderMac, int senderAddress, int targetAddress) {
        return build(frame, at, MacAddress.BROADCAST.bits(), REQUEST, senderMac, senderAddress, 0, targetAddress);
    }

    /**
     * Writes a reply: {@code senderAddress} is at {@code senderMac}.
     *
     * @return length of the frame, not padded: 42
     */
    public static int buildReply(
            byte[] frame, int at, long senderMac, int senderAddress, long targetMac, int targetAddress) {
        return build(frame, at, targetMac, REPLY, senderMac, senderAddress, targetMac, targetAddress);
    }

    private static int build(
            byte[] frame,
            int at,
            long destinationMac,
            int operation,
            long senderMac,
            int senderAddress,
            long targetMac,
            int targetAddress) {
        int arp = at + EthernetFrame.writeHeader(frame, at, destinationMac, senderMac, EthernetFrame.TYPE_ARP);
        BigEndian.putShort(frame, arp + HARDWARE_TYPE, ETHERNET);
        BigEndian.putShort(frame, arp + PROTOCOL_TYPE, EthernetFrame.TYPE_IPV4);
        BigEndian.putShort(frame, arp + HARDWARE_LENGTH, LENGTHS);
        BigEndian.putShort(frame, arp + OPERATION, operation);
        MacAddress.put(frame, arp + SENDER_MAC, senderMac);
        BigEndian.putInt(frame, arp + SENDER_ADDRESS, senderAddress);
        MacAddress.put(frame, arp + TARGET_MAC, targetMac);
        BigEndian.putInt(frame, arp + TARGET_ADDRESS, targetAddress);
        return FRAME_BYTES;
    }

    /** Checks that a frame is an ARP packet for IPv4 on Ethernet; a tag is fine. */
    public static PacketCheck check(byte[] frame, int at, int length) {
        int payload = EthernetFrame.payloadOffset(frame, at, length);
        if (payload < 0) {
            return PacketCheck.TOO_SHORT;
        }
        if (EthernetFrame.payloadType(frame, at, payload) != EthernetFrame.TYPE_ARP) {
            return PacketCheck.OTHER_PROTOCOL;
        }
        if (length - payload < PACKET_BYTES) {
            return PacketCheck.TOO_SHORT;
        }
        int arp = at + payload;
        boolean known = BigEndian.getShort(frame, arp + HARDWARE_TYPE) == ETHERNET
                && BigEndian.getShort(frame, arp + PROTOCOL_TYPE) == EthernetFrame.TYPE_IPV4
                && BigEndian.getShort(frame, arp + HARDWARE_LENGTH) == LENGTHS;
        return known ? PacketCheck.VALID : PacketCheck.BAD_HEADER;
    }

    /**
     * Turns a request for {@code ownAddress} into its reply.
     *
     * @return false, and nothing changed, if it is no valid request or asks for somebody else
     */
    public static boolean replyInPlace(byte[] frame, int at, int length, long ownMac, int ownAddress) {
        if (check(frame, at, length) != PacketCheck.VALID) {
            return false;
        }
        int arp = at + EthernetFrame.payloadOffset(frame, at, length);
        if (BigEndian.getShort(frame, arp + OPERATION) != REQUEST
                || BigEndian.getInt(frame, arp + TARGET_ADDRESS) != ownAddress) {
            return false;
        }
        long askerMac = MacAddress.get(frame, arp + SENDER_MAC);
        int askerAddress = BigEndian.getInt(frame, arp + SENDER_ADDRESS);
        MacAddress.put(frame, at + EthernetFrame.DESTINATION, askerMac);
        MacAddress.put(frame, at + EthernetFrame.SOURCE, ownMac);
        BigEndian.putShort(frame, arp + OPERATION, REPLY);
        MacAddress.put(frame, arp + SENDER_MAC, ownMac);
        BigEndian.putInt(frame, arp + SENDER_ADDRESS, ownAddress);
        MacAddress.put(frame, arp + TARGET_MAC, askerMac);
        BigEndian.putInt(frame, arp + TARGET_ADDRESS, askerAddress);
        return true;
    }
}

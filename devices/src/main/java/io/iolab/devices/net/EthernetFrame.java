package io.iolab.devices.net;

/**
 * The Ethernet header (IEEE 802.3 clause 3.2, tags of IEEE 802.1Q clause 9), read and written in place. {@code at} is where
 * the destination address starts. Readers of a field need the bytes to be there; {@link #payloadOffset} checks that first.
 */
public final class EthernetFrame {
    public static final int DESTINATION = 0;
    public static final int SOURCE = 6;
    /** EtherType, or the tag protocol identifier of a tagged frame. */
    public static final int TYPE = 12;

    /** Bytes before the payload of an untagged frame. */
    public static final int HEADER_BYTES = 14;
    /** Bytes a VLAN tag adds. */
    public static final int TAG_BYTES = 4;
    /** The shortest frame on a wire, without FCS; shorter ones are padded by the sender. */
    public static final int MINIMUM_BYTES = 60;
    /** The longest untagged frame without jumbo frames, without FCS. */
    public static final int MAXIMUM_BYTES = 1514;

    public static final int TYPE_IPV4 = 0x0800;
    public static final int TYPE_ARP = 0x0806;
    /** Tag protocol identifier of a customer VLAN tag. */
    public static final int TYPE_VLAN = 0x8100;

    public static final int TYPE_IPV6 = 0x86DD;
    /** Local experimental EtherType 1 (IEEE 802-2014 clause 9.2.3). */
    public static final int TYPE_EXPERIMENTAL = 0x88B5;

    private EthernetFrame() {}

    public static long destination(byte[] frame, int at) {
        return MacAddress.get(frame, at + DESTINATION);
    }

    public static long source(byte[] frame, int at) {
        return MacAddress.get(frame, at + SOURCE);
    }

    /** What bytes 12 and 13 hold: {@link #TYPE_VLAN} if the frame is tagged. */
    public static int outerType(byte[] frame, int at) {
        return BigEndian.getShort(frame, at + TYPE);
    }

    public static boolean isTagged(byte[] frame, int at) {
        return outerType(frame, at) == TYPE_VLAN;
    }

    /** Priority 15:13, drop eligible 12, VLAN id 11:0 of a tagged frame. */
    public static int tagControl(byte[] frame, int at) {
        return BigEndian.getShort(frame, at + HEADER_BYTES);
    }

    /** 0 to 4095, of a tagged frame. */
    public static int vlanId(byte[] frame, int at) {
        return tagControl(frame, at) & 0xFFF;
    }

    /**
     * Where the payload starts, behind a tag if there is one.
     *
     * @return bytes from the destination address on: 14 or 18, or -1 if the frame is too short to have one
     */
    public static int payloadOffset(byte[] frame, int at, int length) {
        if (length < HEADER_BYTES) {
            return -1;
        }
        if (!isTagged(frame, at)) {
            return HEADER_BYTES;
        }
        return length < HEADER_BYTES + TAG_BYTES ? -1 : HEADER_BYTES + TAG_BYTES;
    }

    /** The EtherType that says what the payload is; {@code payloadOffset} is that of this frame. */
    public static int payloadType(byte[] frame, int at, int payloadOffset) {
        return BigEndian.getShort(frame, at + payloadOffset - 2);
    }

    /** @return bytes written: {@link #HEADER_BYTES} */
    public static int writeHeader(byte[] frame, int at, long destinationMac, long sourceMac, int type) {
        MacAddress.put(frame, at + DESTINATION, destinationMac);
        MacAddress.put(frame, at + SOURCE, sourceMac);
        BigEndian.putShort(frame, at + TYPE, type);
        return HEADER_BYTES;
    }

    /**
     * @param tagControl priority 15:13, drop eligible 12, VLAN id 11:0
     * @return bytes written: 18
     */
    public static int writeTaggedHeader(
            byte[] frame, int at, long destinationMac, long sourceMac, int tagControl, int type) {
        writeHeader(frame, at, destinationMac, sourceMac, TYPE_VLAN);
        BigEndian.putShort(frame, at + HEADER_BYTES, tagControl);
        BigEndian.putShort(frame, at + HEADER_BYTES + 2, type);
        return HEADER_BYTES + TAG_BYTES;
    }

    /** Sends the frame back where it came from: the source becomes the destination. */
    static void turnAround(byte[] frame, int at, long ownMac) {
        MacAddress.put(frame, at + DESTINATION, source(frame, at));
        MacAddress.put(frame, at + SOURCE, ownMac);
    }
}

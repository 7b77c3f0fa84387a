package io.iolab.devices.net;

/** The IPv4 header (RFC 791 section 3.1), read and written in place. {@code at} is where the header starts. */
public final class Ipv4 {
    public static final int VERSION_AND_LENGTH = 0;
    public static final int TYPE_OF_SERVICE = 1;
    public static final int TOTAL_LENGTH = 2;
    public static final int IDENTIFICATION = 4;
    /** Flags 15:13 and fragment offset 12:0. */
    public static final int FRAGMENT = 6;

    public static final int TIME_TO_LIVE = 8;
    public static final int PROTOCOL = 9;
    public static final int CHECKSUM = 10;
    public static final int SOURCE = 12;
    public static final int DESTINATION = 16;
    /** Bytes of a header without options. */
    public static final int HEADER_BYTES = 20;

    public static final int PROTOCOL_ICMP = 1;
    public static final int PROTOCOL_TCP = 6;
    public static final int PROTOCOL_UDP = 17;

    private static final int DONT_FRAGMENT = 0x4000;
    private static final int MORE_FRAGMENTS_AND_OFFSET = 0x3FFF;
    /** RFC 1700, the default time to live. */
    private static final int DEFAULT_TIME_TO_LIVE = 64;

    private Ipv4() {}

    /** 20 to 60 bytes when the header is valid. */
    public static int headerLength(byte[] bytes, int at) {
        return (bytes[at + VERSION_AND_LENGTH] & 0xF) * 4;
    }

    /** Header and payload, without what Ethernet pads. */
    public static int totalLength(byte[] bytes, int at) {
        return BigEndian.getShort(bytes, at + TOTAL_LENGTH);
    }

    public static int protocol(byte[] bytes, int at) {
        return bytes[at + PROTOCOL] & 0xFF;
    }

    public static int source(byte[] bytes, int at) {
        return BigEndian.getInt(bytes, at + SOURCE);
    }

    public static int destination(byte[] bytes, int at) {
        return BigEndian.getInt(bytes, at + DESTINATION);
    }

    /**
     * Writes a header without options, not to be fragmented, with its checksum.
     *
     * @param payloadBytes what follows the header, at most 65 515
     * @return bytes written: {@link #HEADER_BYTES}
     */
    public static int writeHeader(
            byte[] bytes, int at, int payloadBytes, int identification, int protocol, int source, int destination) {
        BigEndian.putShort(bytes, at, 0x4500);
        BigEndian.putShort(bytes, at + TOTAL_LENGTH, HEADER_BYTES + payloadBytes);
        BigEndian.putShort(bytes, at + IDENTIFICATION, identification);
        BigEndian.putShort(bytes, at + FRAGMENT, DONT_FRAGMENT);
        BigEndian.putShort(bytes, at + TIME_TO_LIVE, DEFAULT_TIME_TO_LIVE << 8 | protocol);
        BigEndian.putShort(bytes, at + CHECKSUM, 0);
        BigEndian.putInt(bytes, at + SOURCE, source);
        BigEndian.putInt(bytes, at + DESTINATION, destination);
        BigEndian.putShort(bytes, at + CHECKSUM, InternetChecksum.of(bytes, at, HEADER_BYTES));
        return HEADER_BYTES;
    }

    /** Checks a header of which {@code available} bytes, header and payload, have arrived. */
    public static PacketCheck check(byte[] bytes, int at, int available) {
        if (available < HEADER_BYTES) {
            return PacketCheck.TOO_SHORT;
        }
        int headerLength = headerLength(bytes, at);
        if ((bytes[at] & 0xF0) != 0x40 || headerLength < HEADER_BYTES) {
            return PacketCheck.BAD_HEADER;
        }
        int totalLength = totalLength(bytes, at);
        if (totalLength < headerLength || totalLength > available) {
            return PacketCheck.BAD_LENGTH;
        }
        if (!InternetChecksum.isValid(InternetChecksum.add(0, bytes, at, headerLength))) {
            return PacketCheck.BAD_HEADER_CHECKSUM;
        }
        return (BigEndian.getShort(bytes, at + FRAGMENT) & MORE_FRAGMENTS_AND_OFFSET) == 0
                ? PacketCheck.VALID
                : PacketCheck.FRAGMENT;
    }

    /** Checks frame and header, and that the packet carries {@code protocol}. */
    static PacketCheck checkFrame(byte[] frame, int at, int length, int protocol) {
        int payload = EthernetFrame.payloadOffset(frame, at, length);
        if (payload < 0) {
            return PacketCheck.TOO_SHORT;
        }
        if (EthernetFrame.payloadType(frame, at, payload) != EthernetFrame.TYPE_IPV4) {
            return PacketCheck.OTHER_PROTOCOL;
        }
        PacketCheck check = check(frame, at + payload, length - payload);
        return check == PacketCheck.VALID && protocol(frame, at + payload) != protocol
                ? PacketCheck.OTHER_PROTOCOL
                : check;
    }

    /** Source becomes destination; the header checksum stays right, since a sum has no order. */
    static void turnAround(byte[] bytes, int at) {
        int source = source(bytes, at);
        BigEndian.putInt(bytes, at + SOURCE, destination(bytes, at));
        BigEndian.putInt(bytes, at + DESTINATION, source);
    }

    /**
     * Reads dotted decimal.
     *
     * @throws IllegalArgumentException if the text is anything but four numbers of 0 to 255
     */
    public static int parse(String text) {
        int address = 0;
        int parts = 0;
        int from = 0;
        while (parts < 4) {
            int dot = text.indexOf('.', from);
            int end = dot < 0 ? text.length() : dot;
            address = address << 8 | octet(text, from, end);
            parts++;
            from = end + 1;
            if (dot < 0) {
                break;
            }
        }
        if (parts != 4 || from != text.length() + 1) {
            throw unreadable(text);
        }
        return address;
    }

    private static int octet(String text, int from, int end) {
        int value = 0;
        for (int i = from; i < end; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                throw unreadable(text);
            }
            value = 10 * value + digit;
        }
        if (end == from || end - from > 3 || value > 255) {
            throw unreadable(text);
        }
        return value;
    }

    private static IllegalArgumentException unreadable(String text) {
        return new IllegalArgumentException("\"" + text + "\" is not an IPv4 address such as 10.0.0.1");
    }

    /** Dotted decimal. */
    public static String format(int address) {
        return (address >>> 24) + "." + (address >>> 16 & 0xFF) + "." + (address >>> 8 & 0xFF) + "." + (address & 0xFF);
    }
}

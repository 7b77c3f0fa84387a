package io.iolab.devices.net;

/**
 * Finds the IP and transport headers of a frame, behind up to two VLAN tags and behind IPv6 extension headers (RFC 791, RFC
 * 8200 section 4, RFC 9293, RFC 768). Nothing in the frame is trusted: a header that does not fit is as if it were not there.
 * Offsets count from where the frame starts in its array. One object serves any number of frames; it keeps no reference.
 */
public final class PacketHeaders {
    /** TCP's protocol number. */
    public static final int TCP = Ipv4.PROTOCOL_TCP;
    /** UDP's protocol number. */
    public static final int UDP = Ipv4.PROTOCOL_UDP;

    /** Where the checksum lies in a TCP header. */
    public static final int TCP_CHECKSUM = 16;

    private static final int TYPE_SERVICE_VLAN = 0x88A8;
    private static final int MAX_TAGS = 2;
    private static final int IPV6_HEADER = 40;
    private static final int IPV4_FRAGMENT_BITS = 0x3FFF;
    private static final int LEAST_TCP = 20;

    private static final int HOP_BY_HOP = 0;
    private static final int ROUTING = 43;
    private static final int FRAGMENT = 44;
    private static final int DESTINATION_OPTIONS = 60;
    /** A chain of more extension headers than any sender makes. */
    private static final int MAX_EXTENSIONS = 8;

    private int version;
    private int ip;
    private int ipHeader;
    private int end;
    private int protocol;
    private boolean fragment;
    private boolean routed;
    private int transport;
    private int transportHeader;

    /** @param length at least 14 */
    public void parse(byte[] frame, int at, int length) {
        version = 0;
        protocol = -1;
        fragment = false;
        routed = false;
        transport = 0;
        transportHeader = 0;
        int type = EthernetFrame.TYPE;
        for (int tags = 0; tags < MAX_TAGS && isTag(BigEndian.getShort(frame, at + type)); tags++) {
            type += EthernetFrame.TAG_BYTES;
            if (type + 2 > length) {
                return;
            }
        }
        ip = type + 2;
        int etherType = BigEndian.getShort(frame, at + type);
        if (etherType == EthernetFrame.TYPE_IPV4) {
            parseIpv4(frame, at, length);
        } else if (etherType == EthernetFrame.TYPE_IPV6) {
            parseIpv6(frame, at, length);
        }
    }

    private static boolean isTag(int type) {
        return type == EthernetFrame.TYPE_VLAN || type == TYPE_SERVICE_VLAN;
    }

    private void parseIpv4(byte[] frame, int at, int length) {
        if (length - ip < Ipv4.HEADER_BYTES || frame[at + ip] >>> 4 != 4) {
            return;
        }
        ipHeader = Ipv4.headerLength(frame, at + ip);
        if (ipHeader < Ipv4.HEADER_BYTES || ip + ipHeader > length) {
            return;
        }
        version = 4;
        end = ip + Ipv4.totalLength(frame, at + ip);
        fragment = (BigEndian.getShort(frame, at + ip + Ipv4.FRAGMENT) & IPV4_FRAGMENT_BITS) != 0;
        findTransport(frame, at, length, Ipv4.protocol(frame, at + ip));
    }

    private void parseIpv6(byte[] frame, int at, int length) {
        if (length - ip < IPV6_HEADER || (frame[at + ip] & 0xF0) != 0x60) {
            return;
        }
        version = 6;
        ipHeader = IPV6_HEADER;
        end = ip + IPV6_HEADER + BigEndian.getShort(frame, at + ip + 4);
        int next = frame[at + ip + 6] & 0xFF;
        for (int i = 0; i < MAX_EXTENSIONS && isExtension(next); i++) {
            int extension = ip + ipHeader;
            if (extension + 8 > length) {
                return;
            }
            fragment |= next == FRAGMENT;
            routed |= next == ROUTING && frame[at + extension + 3] != 0;
            ipHeader += next == FRAGMENT ? 8 : 8 * ((frame[at + extension + 1] & 0xFF) + 1);
            next = frame[at + extension] & 0xFF;
        }
        if (ip + ipHeader <= length) {
            findTransport(frame, at, length, next);
        }
    }

    private static boolean isExtension(int header) {
        return header == HOP_BY_HOP || header == ROUTING || header == FRAGMENT || header == DESTINATION_OPTIONS;
    }

    private void findTransport(byte[] frame, int at, int length, int number) {
        protocol = number;
        if (fragment || number != TCP && number != UDP) {
            return;
        }
        int start = ip + ipHeader;
        if (length - start < (number == TCP ? LEAST_TCP : Udp.HEADER_BYTES)) {
            return;
        }
        int header = number == TCP ? (frame[at + start + 12] >>> 4 & 0xF) * 4 : Udp.HEADER_BYTES;
        if (number == TCP && header < LEAST_TCP || start + header > length) {
            return;
        }
        transport = start;
        transportHeader = header;
    }

    /** 4, 6, or 0 for neither. */
    public int ipVersion() {
        return version;
    }

    /** Where the IP header starts; only with an {@link #ipVersion}. */
    public int ip() {
        return ip;
    }

    /** The protocol that the IP header, or the last extension header, names; -1 without an IP header. */
    public int protocol() {
        return protocol;
    }

    public boolean isFragment() {
        return fragment;
    }

    /** Whether the destination address is that of the next router only, not the one that checksums count (RFC 8200 8.1). */
    public boolean isRouted() {
        return routed;
    }

    /** Where the TCP or UDP header starts; 0 if there is none, or only a part of it. */
    public int transport() {
        return transport;
    }

    public boolean isTcp() {
        return transport != 0 && protocol == TCP;
    }

    public boolean isUdp() {
        return transport != 0 && protocol == UDP;
    }

    /** Where the payload of TCP or UDP starts. */
    public int payload() {
        return transport + transportHeader;
    }

    /** Where the IP packet ends by its own length field: not beyond the frame in a sound one, before it in a padded one. */
    public int end() {
        return end;
    }

    /** Where the IP source address starts; the destination follows, of the same length. */
    public int addresses() {
        return version == 4 ? ip + Ipv4.SOURCE : ip + 8;
    }

    /** Bytes of both addresses together. */
    public int addressesLength() {
        return version == 4 ? 8 : 32;
    }

    /** Where the checksum field lies, of a frame with a transport header. */
    public int checksumField() {
        return transport + checksumOffset();
    }

    /** Offset of the checksum field in the transport header. */
    public int checksumOffset() {
        return protocol == TCP ? TCP_CHECKSUM : Udp.CHECKSUM;
    }

    /** The pseudo-header's sum for a segment of this length, of the frame that was parsed. */
    public long pseudoHeader(byte[] frame, int at, int segment) {
        return InternetChecksum.add((long) protocol + segment, frame, at + addresses(), addressesLength());
    }

    /** Whether TCP's or UDP's checksum was there to be verified, and is right; {@code length} is the frame's. */
    public boolean checksumVerified(byte[] frame, int at, int length) {
        if (transport == 0 || routed || end > length || end < payload()) {
            return false;
        }
        // Zero says that the sender of a datagram computed none.
        if (protocol == UDP && BigEndian.getShort(frame, at + checksumField()) == 0) {
            return false;
        }
        int segment = protocol == UDP ? BigEndian.getShort(frame, at + transport + Udp.LENGTH) : end - transport;
        if (segment < Udp.HEADER_BYTES || transport + segment > end) {
            return false;
        }
        long sum = InternetChecksum.add(pseudoHeader(frame, at, segment), frame, at + transport, segment);
        return InternetChecksum.isValid(sum);
    }
}

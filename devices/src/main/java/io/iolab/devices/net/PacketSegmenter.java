package io.iolab.devices.net;

import io.iolab.devices.net.PacketOffload.Segmentation;

/**
 * Cuts a large TCP or UDP packet into plain frames, in place: each segment's headers are written right before its payload,
 * over payload that has left already, so nothing but headers is copied.
 *
 * <pre>
 *   headers | payload 0 | payload 1 | ...
 *   [ segment 0        ]
 *               [ headers| payload 1 ]            the packet's bytes are used up from the front
 * </pre>
 *
 * <p>Each segment gets its lengths, identification, sequence number, flags and complete checksums of its own (RFC 791, 8200,
 * 9293, 768). Of TCP's flags FIN and PSH stay on the last segment only, CWR on the first only (RFC 3168 section 6.1.2).
 */
public final class PacketSegmenter {

    /** Whether a packet can be cut. */
    public enum Check {
        FINE,
        /** The headers are not those of the kind of packet that was announced, or lie elsewhere. */
        BAD_HEADERS,
        /** A segment size of 0, or segments that no wire takes. */
        BAD_SEGMENT_SIZE
    }

    /** Ethernet, two tags, IPv6 with its extension headers, TCP with its options. */
    private static final int MOST_HEADERS = 1024;

    private static final int SEQUENCE = 4;
    private static final int FLAGS = 13;
    private static final int FIN_AND_PSH = 0x09;
    private static final int CWR = 0x80;
    private static final int IPV6_HEADER = 40;
    private static final int IPV6_PAYLOAD_LENGTH = 4;

    private final PacketHeaders headers = new PacketHeaders();
    private final byte[] saved = new byte[MOST_HEADERS];
    private byte[] bytes = {};
    private int at;
    private int headerLength;
    private int payload;
    private int segmentSize;
    private int sent;
    private int segment;
    private int length;

    /**
     * Looks at a packet and, if it is fine, starts to cut it. From then on its bytes are this object's.
     *
     * @param packetLength at least 14
     * @param longestFrame what the wire takes
     */
    public Check begin(byte[] packet, int offset, int packetLength, PacketOffload offload, int longestFrame) {
        headers.parse(packet, offset, packetLength);
        if (!kindFits(offload.segmentation())
                || headers.isRouted()
                || headers.payload() > MOST_HEADERS
                || offload.checksumStart() != headers.transport()
                || offload.checksumOffset() != headers.checksumOffset()) {
            return Check.BAD_HEADERS;
        }
        if (offload.segmentSize() <= 0 || headers.payload() + offload.segmentSize() > longestFrame) {
            return Check.BAD_SEGMENT_SIZE;
        }
        bytes = packet;
        at = offset;
        headerLength = headers.payload();
        payload = packetLength - headerLength;
        segmentSize = offload.segmentSize();
        sent = 0;
        segment = 0;
        length = 0;
        System.arraycopy(packet, offset, saved, 0, headerLength);
        return Check.FINE;
    }

    private boolean kindFits(Segmentation kind) {
        return switch (kind) {
            case NONE -> false;
            case TCP_IPV4 -> headers.ipVersion() == 4 && headers.isTcp();
            case TCP_IPV6 -> headers.ipVersion() == 6 && headers.isTcp();
            case UDP -> headers.isUdp();
        };
    }

    /** Makes the next segment; a packet without payload is one segment. @return false when all were made */
    public boolean next() {
        if (segment > 0 && sent == payload) {
            return false;
        }
        int part = Math.min(segmentSize, payload - sent);
        boolean last = sent + part == payload;
        int start = at + sent;
        length = headerLength + part;
        System.arraycopy(saved, 0, bytes, start, headerLength);
        int transport = start + headers.transport();
        setIpFields(start);
        if (headers.isTcp()) {
            BigEndian.putInt(bytes, transport + SEQUENCE, BigEndian.getInt(bytes, transport + SEQUENCE) + sent);
            int cleared = (last ? 0 : FIN_AND_PSH) | (segment == 0 ? 0 : CWR);
            bytes[transport + FLAGS] &= (byte) ~cleared;
        } else {
            BigEndian.putShort(bytes, transport + Udp.LENGTH, length - headers.transport());
        }
        setChecksum(start);
        sent += part;
        segment++;
        return true;
    }

    private void setIpFields(int start) {
        int ip = start + headers.ip();
        int total = length - headers.ip();
        if (headers.ipVersion() == 6) {
            BigEndian.putShort(bytes, ip + IPV6_PAYLOAD_LENGTH, total - IPV6_HEADER);
            return;
        }
        BigEndian.putShort(bytes, ip + Ipv4.TOTAL_LENGTH, total);
        BigEndian.putShort(
                bytes, ip + Ipv4.IDENTIFICATION, BigEndian.getShort(bytes, ip + Ipv4.IDENTIFICATION) + segment);
        BigEndian.putShort(bytes, ip + Ipv4.CHECKSUM, 0);
        BigEndian.putShort(bytes, ip + Ipv4.CHECKSUM, InternetChecksum.of(bytes, ip, Ipv4.headerLength(bytes, ip)));
    }

    private void setChecksum(int start) {
        int transport = headers.transport();
        int field = start + headers.checksumField();
        BigEndian.putShort(bytes, field, 0);
        long sum = headers.pseudoHeader(bytes, start, length - transport);
        int checksum = InternetChecksum.finish(InternetChecksum.add(sum, bytes, start + transport, length - transport));
        // To UDP a field of zero would mean that there is no checksum.
        BigEndian.putShort(bytes, field, checksum == 0 && headers.isUdp() ? 0xFFFF : checksum);
    }

    /** Where the segment that {@link #next} made starts in the packet's array. */
    public int offset() {
        return at + sent - (length - headerLength);
    }

    /** Its length. */
    public int length() {
        return length;
    }
}

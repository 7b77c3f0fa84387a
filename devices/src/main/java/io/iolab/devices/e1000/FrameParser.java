package io.iolab.devices.e1000;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.InternetChecksum;

/**
 * Finds the headers of a received frame: what checksum offload, RSS and packet split need (82540 SDM 3.2.9; 82574 datasheet
 * 7.1). Nothing in the frame is trusted; a header that does not fit is as if it were not there. Extension headers of IPv6 are
 * not walked.
 */
final class FrameParser {
    private static final int IPV4 = 0x0800;
    private static final int IPV6 = 0x86DD;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int TCP_ACK = 0x10;
    private static final int IPV6_HEADER = 40;

    private byte[] bytes = new byte[0];
    private int start;
    private int end;
    private boolean tagged;
    private int tag;
    private int ip;
    private int ipHeader;
    private int ipEnd;
    private int version;
    private int protocol;
    private boolean fragment;
    private int transport;

    /** @param length at least 14 */
    void parse(byte[] frame, int offset, int length, int vlanType) {
        bytes = frame;
        start = offset;
        end = offset + length;
        version = 0;
        protocol = 0;
        fragment = false;
        transport = 0;
        int at = offset + 12;
        int type = BigEndian.getShort(frame, at);
        tagged = type == vlanType && length >= 18;
        if (tagged) {
            tag = BigEndian.getShort(frame, at + 2);
            at += 4;
            type = BigEndian.getShort(frame, at);
        }
        ip = at + 2;
        if (type == IPV4) {
            parseIpv4();
        } else if (type == IPV6) {
            parseIpv6();
        }
    }

    private void parseIpv4() {
        if (end - ip < 20 || bytes[ip] >>> 4 != 4) {
            return;
        }
        ipHeader = 4 * (bytes[ip] & 0xF);
        ipEnd = ip + BigEndian.getShort(bytes, ip + 2);
        if (ipHeader < 20 || end - ip < ipHeader) {
            return;
        }
        version = 4;
        fragment = (BigEndian.getShort(bytes, ip + 6) & 0x3FFF) != 0;
        findTransport(bytes[ip + 9] & 0xFF);
    }

    private void parseIpv6() {
        if (end - ip < IPV6_HEADER || bytes[ip] >>> 4 != 6) {
            return;
        }
        ipHeader = IPV6_HEADER;
        ipEnd = ip + IPV6_HEADER + BigEndian.getShort(bytes, ip + 4);
        version = 6;
        findTransport(bytes[ip + 6] & 0xFF);
    }

    private void findTransport(int number) {
        if (number != TCP && number != UDP) {
            return;
        }
        protocol = number;
        int at = ip + ipHeader;
        if (!fragment && ipEnd <= end && ipEnd - at >= (number == TCP ? 20 : 8)) {
            transport = at;
        }
    }

    boolean tagged() {
        return tagged;
    }

    int tag() {
        return tag;
    }

    /** 4, 6, or 0 for neither. */
    int ipVersion() {
        return version;
    }

    /** Whether the IP header names TCP or UDP, the transport header itself present or not. */
    boolean namesTransport() {
        return protocol != 0;
    }

    boolean hasTransport() {
        return transport != 0;
    }

    boolean isTcp() {
        return transport != 0 && protocol == TCP;
    }

    boolean isUdp() {
        return transport != 0 && protocol == UDP;
    }

    /** Whether this is a UDP datagram whose sender computed no checksum (RFC 768). */
    boolean isUdpWithoutChecksum() {
        return isUdp() && BigEndian.getShort(bytes, transport + 6) == 0;
    }

    boolean isAcknowledgement() {
        return isTcp() && (bytes[transport + 13] & TCP_ACK) != 0;
    }

    private int tcpHeader() {
        return Math.max(20, 4 * (bytes[transport + 12] >>> 4 & 0xF));
    }

    boolean carriesTcpData() {
        return isTcp() && transport + tcpHeader() < ipEnd;
    }

    /** Identification of an IPv4 packet. */
    int ipIdentification() {
        return version == 4 ? BigEndian.getShort(bytes, ip + 4) : 0;
    }

    boolean ipChecksumGood() {
        return InternetChecksum.fold(InternetChecksum.add(0, bytes, ip, ipHeader)) == 0xFFFF;
    }

    /** Sums transport header, payload and pseudo header (RFC 9293 3.1, RFC 768, RFC 8200 8.1). */
    boolean transportChecksumGood() {
        int length = ipEnd - transport;
        long sum = (long) protocol + length + InternetChecksum.fold(InternetChecksum.add(0, bytes, transport, length));
        sum += version == 4
                ? InternetChecksum.fold(InternetChecksum.add(0, bytes, ip + 12, 8))
                : InternetChecksum.fold(InternetChecksum.add(0, bytes, ip + 8, 32));
        return InternetChecksum.fold(sum) == 0xFFFF;
    }

    /** Length of all headers up to where a split frame is cut; 0 if it is not to be cut. */
    int headerLength(boolean splitFragments) {
        if (version == 0 || fragment && !splitFragments) {
            return 0;
        }
        int header = transport == 0 ? ip + ipHeader : transport + (protocol == TCP ? tcpHeader() : 8);
        return Math.min(header, end) - start;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Where the IP source address starts; the destination follows, of the same length. */
    int addresses() {
        return version == 4 ? ip + 12 : ip + 8;
    }

    /** Bytes of both addresses together. */
    int addressesLength() {
        return version == 4 ? 8 : 32;
    }

    int ports() {
        return transport;
    }
}

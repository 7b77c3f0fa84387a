package io.iolab.devices.igb;

import io.iolab.devices.net.BigEndian;
import io.iolab.devices.net.InternetChecksum;
import io.iolab.devices.net.Ipv4;
import io.iolab.devices.net.PacketHeaders;
import io.iolab.devices.net.PacketOffload;

/** What an advanced context descriptor told: lengths of headers, kinds of headers, MSS, VLAN tag (82576 datasheet 7.2.2.2). */
final class TransmitContext {
    private static final int UDP_CHECKSUM = 6;
    private static final int L4_UDP = 0;
    private static final int L4_TCP = 1;

    private int macLength;
    private int ipLength;
    private int transportLength;
    private int transportType;
    private boolean ipv4;
    private int segmentSize;
    private int tag;

    /** Loads the 16 bytes of a descriptor. */
    void load(long low, long high) {
        ipLength = (int) low & 0x1FF;
        macLength = (int) (low >>> 9) & 0x7F;
        tag = (int) (low >>> 16) & 0xFFFF;
        ipv4 = (high >>> 10 & 1) != 0;
        transportType = (int) (high >>> 11) & 3;
        transportLength = (int) (high >>> 40) & 0xFF;
        segmentSize = (int) (high >>> 48) & 0xFFFF;
    }

    int tag() {
        return tag;
    }

    int headerLength() {
        return macLength + ipLength + transportLength;
    }

    private int checksumOffset() {
        return transportType == L4_TCP ? PacketHeaders.TCP_CHECKSUM : UDP_CHECKSUM;
    }

    /** Says what is left to do to a packet that is to be cut. @return false if the context names nothing that can be cut */
    boolean describeSegments(PacketOffload offload) {
        PacketOffload.Segmentation kind = switch (transportType) {
            case L4_TCP -> ipv4 ? PacketOffload.Segmentation.TCP_IPV4 : PacketOffload.Segmentation.TCP_IPV6;
            case L4_UDP -> PacketOffload.Segmentation.UDP;
            default -> PacketOffload.Segmentation.NONE;
        };
        offload.clear();
        offload.checksum(macLength + ipLength, checksumOffset());
        offload.segments(kind, segmentSize, headerLength(), false);
        return kind != PacketOffload.Segmentation.NONE;
    }

    /** Finishes the checksum of TCP or UDP, whose field holds the pseudo header's sum; of SCTP none is computed. */
    void insertTransportChecksum(PacketOffload offload, byte[] bytes, int at, int length) {
        if (transportType != L4_TCP && transportType != L4_UDP) {
            return;
        }
        offload.clear().checksum(macLength + ipLength, checksumOffset());
        if (offload.checksumFits(length)) {
            offload.finishChecksum(bytes, at, length);
        }
    }

    void insertIpChecksum(byte[] bytes, int at, int length) {
        if (!ipv4 || ipLength < Ipv4.HEADER_BYTES || macLength + ipLength > length) {
            return;
        }
        int ip = at + macLength;
        BigEndian.putShort(bytes, ip + Ipv4.CHECKSUM, 0);
        BigEndian.putShort(bytes, ip + Ipv4.CHECKSUM, InternetChecksum.of(bytes, ip, ipLength));
    }
}

package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;
import io.iolab.devices.virtio.queue.RingFeatures;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the header of a transmitted packet asks for (virtio 1.2 section 5.1.6.2). Without CSUM the whole header is the
 * driver's to leave as it likes, so it is not looked at; flags other than NEEDS_CSUM are ignored (5.1.6.2.2). hdr_len is
 * never believed: who cuts a packet parses it, with GUEST_HDRLEN as well as without.
 */
final class TransmitHeader {
    private final PacketOffload offload = new PacketOffload();
    private boolean checksum;
    private long features;

    void start(long negotiated) {
        features = negotiated;
        checksum = RingFeatures.has(negotiated, NetFeatures.CSUM);
    }

    /** Whether the header asks for nothing. */
    boolean plain(byte[] packet) {
        return !checksum
                || packet[PacketFormat.GSO_TYPE] == PacketFormat.GSO_NONE
                        && (packet[PacketFormat.FLAGS] & PacketFormat.NEEDS_CSUM) == 0;
    }

    /** What the header read last asks for. */
    PacketOffload offload() {
        return offload;
    }

    /**
     * @param length of the frame behind the header
     * @return null if that can be done, as far as the header alone can tell
     */
    @Nullable
    HeaderFault read(byte[] packet, int length) {
        offload.clear();
        boolean needed = (packet[PacketFormat.FLAGS] & PacketFormat.NEEDS_CSUM) != 0;
        if (needed) {
            offload.checksum(
                    LittleEndian.getShort(packet, PacketFormat.CHECKSUM_START),
                    LittleEndian.getShort(packet, PacketFormat.CHECKSUM_OFFSET));
        }
        int type = packet[PacketFormat.GSO_TYPE] & 0xFF;
        if (type != PacketFormat.GSO_NONE) {
            boolean ecn = (type & PacketFormat.GSO_ECN) != 0;
            Segmentation kind = kind(type & ~PacketFormat.GSO_ECN, ecn);
            if (kind == Segmentation.NONE) {
                return HeaderFault.GSO_TYPE;
            }
            if (!needed) {
                return HeaderFault.CHECKSUM_MISSING;
            }
            offload.segments(
                    kind,
                    LittleEndian.getShort(packet, PacketFormat.GSO_SIZE),
                    LittleEndian.getShort(packet, PacketFormat.HEADER_LENGTH),
                    ecn);
        }
        return offload.checksumFits(length) ? null : HeaderFault.CHECKSUM_RANGE;
    }

    /** NONE if there is no such kind, or it was not negotiated. */
    private Segmentation kind(int type, boolean ecn) {
        if (ecn && (type == PacketFormat.GSO_UDP_L4 || !RingFeatures.has(features, NetFeatures.HOST_ECN))) {
            return Segmentation.NONE;
        }
        return switch (type) {
            case PacketFormat.GSO_TCPV4 -> negotiated(NetFeatures.HOST_TSO4, Segmentation.TCP_IPV4);
            case PacketFormat.GSO_TCPV6 -> negotiated(NetFeatures.HOST_TSO6, Segmentation.TCP_IPV6);
            case PacketFormat.GSO_UDP_L4 -> negotiated(NetFeatures.HOST_USO, Segmentation.UDP);
            default -> Segmentation.NONE;
        };
    }

    private Segmentation negotiated(long feature, Segmentation kind) {
        return RingFeatures.has(features, feature) ? kind : Segmentation.NONE;
    }
}

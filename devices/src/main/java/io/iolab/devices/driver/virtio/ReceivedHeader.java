package io.iolab.devices.driver.virtio;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;

/**
 * What the header of a received packet says (virtio 1.2 section 5.1.6.4). One object serves all packets; it tells of the one
 * that is being delivered. What the device writes is passed on as it is, but for a kind of segmentation that does not exist,
 * which is none.
 */
public final class ReceivedHeader {
    private final PacketOffload offload = new PacketOffload();
    private final boolean hashes;
    private boolean checksumVerified;
    private int hash;
    private int hashType;

    ReceivedHeader(long features) {
        hashes = (features & VirtioFeatures.HASH_REPORT) != 0;
    }

    /** @param complete whether the device wrote all of it; if not, nothing is believed (section 2.7.8.2) */
    void read(Memory ram, long pa, boolean complete) {
        offload.clear();
        int flags = complete ? ram.readByte(pa + PacketHeader.FLAGS) : 0;
        checksumVerified = (flags & PacketHeader.FLAG_DATA_VALID) != 0;
        hash = 0;
        hashType = 0;
        if ((flags & PacketHeader.FLAG_NEEDS_CSUM) != 0) {
            offload.checksum(
                    ram.readShort(pa + PacketHeader.CSUM_START) & 0xFFFF,
                    ram.readShort(pa + PacketHeader.CSUM_OFFSET) & 0xFFFF);
        }
        int type = complete ? ram.readByte(pa + PacketHeader.GSO_TYPE) & 0xFF : 0;
        Segmentation kind = kind(type & ~PacketHeader.GSO_ECN);
        if (kind != Segmentation.NONE) {
            offload.segments(
                    kind,
                    ram.readShort(pa + PacketHeader.GSO_SIZE) & 0xFFFF,
                    ram.readShort(pa + PacketHeader.HDR_LEN) & 0xFFFF,
                    (type & PacketHeader.GSO_ECN) != 0);
        }
        if (hashes && complete) {
            hash = ram.readInt(pa + PacketHeader.HASH_VALUE);
            hashType = ram.readShort(pa + PacketHeader.HASH_TYPE) & 0xFFFF;
        }
    }

    private static Segmentation kind(int type) {
        return switch (type) {
            case PacketHeader.GSO_TCPV4 -> Segmentation.TCP_IPV4;
            case PacketHeader.GSO_TCPV6 -> Segmentation.TCP_IPV6;
            case PacketHeader.GSO_UDP_L4 -> Segmentation.UDP;
            default -> Segmentation.NONE;
        };
    }

    /** Whether the device has verified the packet's checksum. */
    public boolean checksumVerified() {
        return checksumVerified;
    }

    /** What was left to do when the packet came; valid during its delivery. */
    public PacketOffload offload() {
        return offload;
    }

    /** The packet's hash, where {@link #hashType} is not 0. */
    public int hash() {
        return hash;
    }

    /** 0 none, 1 IPv4, 2 TCPv4, 3 UDPv4, 4 IPv6, 5 TCPv6, 6 UDPv6. */
    public int hashType() {
        return hashType;
    }
}

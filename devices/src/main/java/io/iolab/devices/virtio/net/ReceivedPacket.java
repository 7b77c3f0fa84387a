package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.net.PacketOffload;
import java.util.Arrays;

/** Header and frame of a received packet as they go to memory (virtio 1.2 section 5.1.6). One serves all receive queues. */
final class ReceivedPacket {
    private final byte[] bytes;
    private int headerBytes = PacketFormat.HEADER;
    /** Something other than num_buffers is not 0 in the header. */
    private boolean marked;

    /** @param large whether packets that are still to be cut come */
    ReceivedPacket(boolean large) {
        bytes = new byte[PacketFormat.HASH_HEADER + (large ? PacketFormat.MAX_PACKET : PacketFormat.MAX_FRAME)];
    }

    void start(boolean hashReported) {
        headerBytes = hashReported ? PacketFormat.HASH_HEADER : PacketFormat.HEADER;
        marked = true;
        clear();
    }

    int headerBytes() {
        return headerBytes;
    }

    /** The longest frame that there is room for. */
    int longest() {
        return bytes.length - PacketFormat.HASH_HEADER;
    }

    /** A header that says nothing. */
    void clear() {
        if (marked) {
            Arrays.fill(bytes, 0, headerBytes, (byte) 0);
            marked = false;
        }
    }

    void checksumVerified() {
        marked = true;
        bytes[PacketFormat.FLAGS] = PacketFormat.DATA_VALID;
    }

    void offload(PacketOffload offload) {
        marked = true;
        if (offload.checksumNeeded()) {
            bytes[PacketFormat.FLAGS] = PacketFormat.NEEDS_CSUM;
            LittleEndian.putShort(bytes, PacketFormat.CHECKSUM_START, offload.checksumStart());
            LittleEndian.putShort(bytes, PacketFormat.CHECKSUM_OFFSET, offload.checksumOffset());
        }
        int type = switch (offload.segmentation()) {
            case NONE -> PacketFormat.GSO_NONE;
            case TCP_IPV4 -> PacketFormat.GSO_TCPV4;
            case TCP_IPV6 -> PacketFormat.GSO_TCPV6;
            case UDP -> PacketFormat.GSO_UDP_L4;
        };
        if (type != PacketFormat.GSO_NONE) {
            bytes[PacketFormat.GSO_TYPE] = (byte) (type | (offload.congestionExperienced() ? PacketFormat.GSO_ECN : 0));
            LittleEndian.putShort(bytes, PacketFormat.HEADER_LENGTH, offload.headerLength());
            LittleEndian.putShort(bytes, PacketFormat.GSO_SIZE, offload.segmentSize());
        }
    }

    void hash(int value, int report) {
        marked = true;
        LittleEndian.putInt(bytes, PacketFormat.HASH_VALUE, value);
        LittleEndian.putShort(bytes, PacketFormat.HASH_TYPE, report);
    }

    /** Completes the packet. @return its bytes, header first */
    byte[] fill(byte[] frame, int offset, int length, int buffers) {
        LittleEndian.putShort(bytes, PacketFormat.NUM_BUFFERS, buffers);
        System.arraycopy(frame, offset, bytes, headerBytes, length);
        return bytes;
    }
}

package io.iolab.devices.driver.virtio;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;

/** virtio_net_hdr in front of a transmitted packet (virtio 1.2 sections 5.1.6 and 5.1.6.2). */
final class PacketHeader {
    static final int BYTES = 12;
    /** With hash value and type, which HASH_REPORT adds in both directions. */
    static final int HASH_BYTES = 20;

    static final int FLAGS = 0;
    static final int GSO_TYPE = 1;
    static final int HDR_LEN = 2;
    static final int GSO_SIZE = 4;
    static final int CSUM_START = 6;
    static final int CSUM_OFFSET = 8;
    static final int NUM_BUFFERS = 10;
    static final int HASH_VALUE = 12;
    static final int HASH_TYPE = 16;

    static final int FLAG_NEEDS_CSUM = 1;
    static final int FLAG_DATA_VALID = 2;
    static final int GSO_TCPV4 = 1;
    static final int GSO_TCPV6 = 4;
    static final int GSO_UDP_L4 = 5;
    static final int GSO_ECN = 0x80;

    private final int bytes;

    PacketHeader(long features) {
        bytes = (features & VirtioFeatures.HASH_REPORT) != 0 ? HASH_BYTES : BYTES;
    }

    int bytes() {
        return bytes;
    }

    void clear(Memory ram, long pa) {
        ram.fill(pa, bytes, (byte) 0);
    }

    /** num_buffers and what follows are 0 on transmit. */
    void write(Memory ram, long pa, PacketOffload offload) {
        clear(ram, pa);
        if (offload.checksumNeeded()) {
            ram.writeByte(pa + FLAGS, (byte) FLAG_NEEDS_CSUM);
            ram.writeShort(pa + CSUM_START, (short) offload.checksumStart());
            ram.writeShort(pa + CSUM_OFFSET, (short) offload.checksumOffset());
        }
        if (offload.segmentation() != Segmentation.NONE) {
            int type = switch (offload.segmentation()) {
                case NONE -> 0;
                case TCP_IPV4 -> GSO_TCPV4;
                case TCP_IPV6 -> GSO_TCPV6;
                case UDP -> GSO_UDP_L4;
            };
            ram.writeByte(pa + GSO_TYPE, (byte) (type | (offload.congestionExperienced() ? GSO_ECN : 0)));
            ram.writeShort(pa + HDR_LEN, (short) offload.headerLength());
            ram.writeShort(pa + GSO_SIZE, (short) offload.segmentSize());
        }
    }
}

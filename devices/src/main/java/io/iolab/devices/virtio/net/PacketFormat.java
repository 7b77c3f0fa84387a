package io.iolab.devices.virtio.net;

import io.iolab.devices.net.OffloadPort;

/** The header in front of every packet (virtio 1.2 section 5.1.6), and the sizes of what crosses a network queue. */
final class PacketFormat {
    static final int FLAGS = 0;
    static final int GSO_TYPE = 1;
    static final int HEADER_LENGTH = 2;
    static final int GSO_SIZE = 4;
    static final int CHECKSUM_START = 6;
    static final int CHECKSUM_OFFSET = 8;
    static final int NUM_BUFFERS = 10;
    static final int HASH_VALUE = 12;
    static final int HASH_TYPE = 16;

    /** With num_buffers, which VERSION_1 always has. */
    static final int HEADER = 12;

    /** With what HASH_REPORT adds. */
    static final int HASH_HEADER = 20;

    /** Flag: the checksum is to be finished. */
    static final int NEEDS_CSUM = 1;
    /** Flag: the checksum was verified. */
    static final int DATA_VALID = 2;

    static final int GSO_NONE = 0;
    static final int GSO_TCPV4 = 1;
    static final int GSO_TCPV6 = 4;
    static final int GSO_UDP_L4 = 5;
    /** Together with one of TCP's: the packet has CWR set. */
    static final int GSO_ECN = 0x80;

    /** An Ethernet header. */
    static final int MIN_FRAME = 14;

    /** What a {@link io.iolab.devices.net.FramePort} takes. */
    static final int MAX_FRAME = 16384;

    /** What is taken to be cut. */
    static final int MAX_PACKET = OffloadPort.LONGEST_PACKET;

    private PacketFormat() {}
}

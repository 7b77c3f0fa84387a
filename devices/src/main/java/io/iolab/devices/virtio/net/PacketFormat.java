package io.iolab.devices.virtio.net;

/** Sizes of what crosses a network queue. */
final class PacketFormat {
    /** virtio_net_hdr with num_buffers, which VERSION_1 always has (virtio 1.2 section 5.1.6). */
    static final int HEADER = 12;

    /** Offset of num_buffers in the header. */
    static final int NUM_BUFFERS = 10;

    /** An Ethernet header. */
    static final int MIN_FRAME = 14;

    /** What a {@link io.iolab.devices.net.FramePort} takes. */
    static final int MAX_FRAME = 16384;

    private PacketFormat() {}
}

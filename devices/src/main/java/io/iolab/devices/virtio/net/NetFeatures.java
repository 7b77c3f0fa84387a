package io.iolab.devices.virtio.net;

import io.iolab.devices.virtio.queue.RingFeatures;

/** Feature bits of the network device (virtio 1.2 section 5.1.3), as masks, and which of them this device implements. */
public final class NetFeatures {
    /** VIRTIO_NET_F_MAC: the configuration holds the station address. */
    public static final long MAC = 1L << 5;

    /** VIRTIO_NET_F_MRG_RXBUF: a received packet may span buffers. */
    public static final long MRG_RXBUF = 1L << 15;

    /** VIRTIO_NET_F_STATUS: the configuration holds the link state. */
    public static final long STATUS = 1L << 16;

    /** What {@link VirtioNetOptions#defaults} offers. */
    public static final long DEFAULT =
            RingFeatures.VERSION_1 | RingFeatures.INDIRECT_DESC | RingFeatures.EVENT_IDX | MAC | STATUS | MRG_RXBUF;

    /** What can be offered. */
    public static final long IMPLEMENTED = DEFAULT
            | RingFeatures.ACCESS_PLATFORM
            | RingFeatures.RING_PACKED
            | RingFeatures.IN_ORDER
            | RingFeatures.ORDER_PLATFORM
            | RingFeatures.NOTIFICATION_DATA
            | RingFeatures.NOTIF_CONFIG_DATA
            | RingFeatures.RING_RESET;

    private NetFeatures() {}
}

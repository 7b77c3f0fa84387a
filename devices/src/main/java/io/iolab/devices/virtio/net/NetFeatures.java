package io.iolab.devices.virtio.net;

import io.iolab.devices.virtio.queue.RingFeatures;

/**
 * Feature bits of the network device (virtio 1.2 section 5.1.3; bits 52 to 55 are of 1.3), as masks, and which of them this
 * device implements. Not implemented, and so never offered: UFO in either direction (10, 14), which cuts datagrams into IP
 * fragments; HASH_TUNNEL (51), RSC_EXT (61), STANDBY (62), and the legacy bits 6, 24 and 27.
 */
public final class NetFeatures {
    /** VIRTIO_NET_F_CSUM: the device finishes checksums of transmitted packets. */
    public static final long CSUM = 1L;

    /** VIRTIO_NET_F_GUEST_CSUM: the driver takes packets with unfinished checksums, and reads DATA_VALID. */
    public static final long GUEST_CSUM = 1L << 1;

    /** VIRTIO_NET_F_CTRL_GUEST_OFFLOADS: receive offloads can be switched at run time. */
    public static final long CTRL_GUEST_OFFLOADS = 1L << 2;

    /** VIRTIO_NET_F_MTU: the configuration holds the largest MTU. */
    public static final long MTU = 1L << 3;

    /** VIRTIO_NET_F_MAC: the configuration holds the station address. */
    public static final long MAC = 1L << 5;

    /** VIRTIO_NET_F_GUEST_TSO4: the driver takes uncut TCP packets over IPv4. */
    public static final long GUEST_TSO4 = 1L << 7;

    /** VIRTIO_NET_F_GUEST_TSO6: the driver takes uncut TCP packets over IPv6. */
    public static final long GUEST_TSO6 = 1L << 8;

    /** VIRTIO_NET_F_GUEST_ECN: the driver takes uncut TCP packets with CWR. */
    public static final long GUEST_ECN = 1L << 9;

    /** VIRTIO_NET_F_HOST_TSO4: the device cuts TCP packets over IPv4. */
    public static final long HOST_TSO4 = 1L << 11;

    /** VIRTIO_NET_F_HOST_TSO6: the device cuts TCP packets over IPv6. */
    public static final long HOST_TSO6 = 1L << 12;

    /** VIRTIO_NET_F_HOST_ECN: the device cuts TCP packets with CWR. */
    public static final long HOST_ECN = 1L << 13;

    /** VIRTIO_NET_F_MRG_RXBUF: a received packet may span buffers. */
    public static final long MRG_RXBUF = 1L << 15;

    /** VIRTIO_NET_F_STATUS: the configuration holds the link state. */
    public static final long STATUS = 1L << 16;

    /** VIRTIO_NET_F_CTRL_VQ: there is a control queue. */
    public static final long CTRL_VQ = 1L << 17;

    /** VIRTIO_NET_F_CTRL_RX: promiscuous and all-multicast modes. */
    public static final long CTRL_RX = 1L << 18;

    /** VIRTIO_NET_F_CTRL_VLAN: a filter of VLAN ids. */
    public static final long CTRL_VLAN = 1L << 19;

    /** VIRTIO_NET_F_CTRL_RX_EXTRA: four more receive modes. */
    public static final long CTRL_RX_EXTRA = 1L << 20;

    /** VIRTIO_NET_F_GUEST_ANNOUNCE: the driver announces itself to the network when asked to. */
    public static final long GUEST_ANNOUNCE = 1L << 21;

    /** VIRTIO_NET_F_MQ: several queue pairs, with automatic receive steering. */
    public static final long MQ = 1L << 22;

    /** VIRTIO_NET_F_CTRL_MAC_ADDR: the station address is set by a command. */
    public static final long CTRL_MAC_ADDR = 1L << 23;

    /** VIRTIO_NET_F_VQ_NOTF_COAL: notification coalescing queue by queue. */
    public static final long VQ_NOTF_COAL = 1L << 52;

    /** VIRTIO_NET_F_NOTF_COAL: notification coalescing by direction. */
    public static final long NOTF_COAL = 1L << 53;

    /** VIRTIO_NET_F_GUEST_USO4: the driver takes uncut datagrams over IPv4. */
    public static final long GUEST_USO4 = 1L << 54;

    /** VIRTIO_NET_F_GUEST_USO6: the driver takes uncut datagrams over IPv6. */
    public static final long GUEST_USO6 = 1L << 55;

    /** VIRTIO_NET_F_HOST_USO: the device cuts UDP packets into datagrams. */
    public static final long HOST_USO = 1L << 56;

    /** VIRTIO_NET_F_HASH_REPORT: received packets carry their hash. */
    public static final long HASH_REPORT = 1L << 57;

    /** VIRTIO_NET_F_GUEST_HDRLEN: the driver gives exact header lengths. The device parses headers and needs none. */
    public static final long GUEST_HDRLEN = 1L << 59;

    /** VIRTIO_NET_F_RSS: several queue pairs, with steering by hash and table. */
    public static final long RSS = 1L << 60;

    /** VIRTIO_NET_F_SPEED_DUPLEX: the configuration holds speed and duplex mode. */
    public static final long SPEED_DUPLEX = 1L << 63;

    /** What {@link VirtioNetOptions#defaults} offers. */
    public static final long DEFAULT =
            RingFeatures.VERSION_1 | RingFeatures.INDIRECT_DESC | RingFeatures.EVENT_IDX | MAC | STATUS | MRG_RXBUF;

    private static final long TRANSMIT_SEGMENTATION = HOST_TSO4 | HOST_TSO6 | HOST_ECN | HOST_USO;
    static final long RECEIVE_SEGMENTATION = GUEST_TSO4 | GUEST_TSO6 | GUEST_ECN | GUEST_USO4 | GUEST_USO6;

    /** What CTRL_GUEST_OFFLOADS switches. */
    static final long GUEST_OFFLOADS = GUEST_CSUM | RECEIVE_SEGMENTATION;

    /** Everything that needs a control queue. */
    private static final long COMMANDS =
            CTRL_RX | CTRL_VLAN | CTRL_RX_EXTRA | GUEST_ANNOUNCE | MQ | CTRL_MAC_ADDR | VQ_NOTF_COAL | NOTF_COAL | RSS;

    /** What can be offered. */
    public static final long IMPLEMENTED = DEFAULT
            | RingFeatures.ACCESS_PLATFORM
            | CSUM
            | TRANSMIT_SEGMENTATION
            | GUEST_OFFLOADS
            | CTRL_GUEST_OFFLOADS
            | CTRL_VQ
            | COMMANDS
            | MTU
            | HASH_REPORT
            | GUEST_HDRLEN
            | SPEED_DUPLEX
            | RingFeatures.RING_PACKED
            | RingFeatures.IN_ORDER
            | RingFeatures.ORDER_PLATFORM
            | RingFeatures.NOTIFICATION_DATA
            | RingFeatures.NOTIF_CONFIG_DATA
            | RingFeatures.RING_RESET;

    /** Everything that QEMU 7.2 offers by default for a single queue pair, and this device implements. */
    public static final long USUAL = DEFAULT
            | CTRL_GUEST_OFFLOADS
            | CTRL_VQ
            | CTRL_RX
            | CTRL_VLAN
            | CTRL_RX_EXTRA
            | GUEST_ANNOUNCE
            | CTRL_MAC_ADDR;

    /** All of checksum and segmentation offload, both ways. */
    public static final long OFFLOADS = CSUM | TRANSMIT_SEGMENTATION | GUEST_OFFLOADS;

    private NetFeatures() {}

    /**
     * Whether every feature comes with those that it requires (section 5.1.3.1). CTRL_GUEST_OFFLOADS is not on that list,
     * though it is of no use without CTRL_VQ.
     */
    static boolean complete(long features) {
        return needs(features, GUEST_TSO4 | GUEST_TSO6 | GUEST_USO4 | GUEST_USO6, GUEST_CSUM)
                && needs(features, GUEST_ECN, GUEST_TSO4 | GUEST_TSO6)
                && needs(features, HOST_TSO4 | HOST_TSO6 | HOST_USO, CSUM)
                && needs(features, HOST_ECN, HOST_TSO4 | HOST_TSO6)
                && needs(features, COMMANDS & ~CTRL_RX_EXTRA, CTRL_VQ);
    }

    private static boolean needs(long features, long any, long oneOf) {
        return (features & any) == 0 || (features & oneOf) != 0;
    }
}

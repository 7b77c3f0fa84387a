package io.iolab.devices.driver.virtio;

/** Feature bits that this driver can use, as masks (virtio 1.2 sections 5.1.3 and 6). */
public final class VirtioFeatures {
    /** The device finishes checksums. */
    public static final long CSUM = 1L;
    /** Received packets may have unfinished checksums, or verified ones. */
    public static final long GUEST_CSUM = 1L << 1;
    /** Receive offloads can be switched by command. */
    public static final long CTRL_GUEST_OFFLOADS = 1L << 2;
    /** The device has a station address in its configuration. */
    public static final long MAC = 1L << 5;

    /** Received TCP packets over IPv4 may be longer than the wire's. Needs MRG_RXBUF with this driver. */
    public static final long GUEST_TSO4 = 1L << 7;
    /** The same over IPv6. */
    public static final long GUEST_TSO6 = 1L << 8;
    /** The same with CWR. */
    public static final long GUEST_ECN = 1L << 9;
    /** The device cuts TCP packets over IPv4. */
    public static final long HOST_TSO4 = 1L << 11;
    /** The device cuts TCP packets over IPv6. */
    public static final long HOST_TSO6 = 1L << 12;
    /** The device cuts TCP packets with CWR. */
    public static final long HOST_ECN = 1L << 13;

    /** A received frame may span several buffers. */
    public static final long MRG_RXBUF = 1L << 15;
    /** The link state is in the configuration. */
    public static final long STATUS = 1L << 16;

    /** There is a control queue. */
    public static final long CTRL_VQ = 1L << 17;
    /** Promiscuous and all-multicast modes. */
    public static final long CTRL_RX = 1L << 18;
    /** A filter of VLAN ids. */
    public static final long CTRL_VLAN = 1L << 19;
    /** Four more receive modes. */
    public static final long CTRL_RX_EXTRA = 1L << 20;
    /** The device asks for announcements. */
    public static final long GUEST_ANNOUNCE = 1L << 21;
    /** Several queue pairs. */
    public static final long MQ = 1L << 22;
    /** The station address is set by a command. */
    public static final long CTRL_MAC_ADDR = 1L << 23;

    public static final long INDIRECT_DESC = 1L << 28;
    /** used_event and avail_event in place of the two flags. */
    public static final long EVENT_IDX = 1L << 29;

    public static final long VERSION_1 = 1L << 32;
    /** The device goes through the platform's address translation. */
    public static final long ACCESS_PLATFORM = 1L << 33;

    /** Packed rings in place of split ones. */
    public static final long RING_PACKED = 1L << 34;
    /** Buffers come back in the order in which they were offered, and several with one used descriptor. */
    public static final long IN_ORDER = 1L << 35;
    /** Memory is to be ordered as towards a device; the driver's fences always do. */
    public static final long ORDER_PLATFORM = 1L << 36;
    /** Kicks tell how far the driver got. */
    public static final long NOTIFICATION_DATA = 1L << 38;
    /** Kicks carry a number that the device chose. */
    public static final long NOTIF_CONFIG_DATA = 1L << 39;
    /** Queues can be reset one by one. */
    public static final long RING_RESET = 1L << 40;

    /** Received datagrams may be several in one, over IPv4. Needs MRG_RXBUF with this driver. */
    public static final long GUEST_USO4 = 1L << 54;
    /** The same over IPv6. */
    public static final long GUEST_USO6 = 1L << 55;
    /** The device cuts UDP packets into datagrams. */
    public static final long HOST_USO = 1L << 56;
    /** Received packets carry a hash. */
    public static final long HASH_REPORT = 1L << 57;

    /** What {@link VirtioOptions#defaults} wants: no offloads, no control queue, no other forms of rings and kicks. */
    public static final long DEFAULT =
            MAC | MRG_RXBUF | STATUS | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ACCESS_PLATFORM;

    /** Checksums and segmentation, both ways. */
    public static final long OFFLOADS = CSUM
            | HOST_TSO4
            | HOST_TSO6
            | HOST_ECN
            | HOST_USO
            | GUEST_CSUM
            | GUEST_TSO4
            | GUEST_TSO6
            | GUEST_ECN
            | GUEST_USO4
            | GUEST_USO6;

    /** The control queue and what goes through it, but for MQ. */
    public static final long CONTROL =
            CTRL_VQ | CTRL_RX | CTRL_RX_EXTRA | CTRL_VLAN | CTRL_MAC_ADDR | CTRL_GUEST_OFFLOADS | GUEST_ANNOUNCE;

    /** Other forms of rings and kicks. */
    public static final long RINGS =
            RING_PACKED | IN_ORDER | ORDER_PLATFORM | NOTIFICATION_DATA | NOTIF_CONFIG_DATA | RING_RESET;

    /** Everything above. */
    public static final long ALL = DEFAULT | OFFLOADS | CONTROL | MQ | HASH_REPORT | RINGS;

    /** What makes transmitted packets long. */
    static final long HOST_SEGMENTATION = HOST_TSO4 | HOST_TSO6 | HOST_USO;

    private static final long GUEST_SEGMENTATION = GUEST_TSO4 | GUEST_TSO6 | GUEST_USO4 | GUEST_USO6;

    /** What makes the header of a received packet worth reading. */
    static final long RECEIVE_METADATA = GUEST_CSUM | HASH_REPORT;

    private VirtioFeatures() {}

    /**
     * Leaves out what lacks a feature that it requires (section 5.1.3.1). Large packets on receive also want MRG_RXBUF: no
     * buffer of this driver holds one.
     */
    static long withoutUnmet(long features) {
        long met = features;
        met = unless(met, CTRL_VQ, CTRL_RX | CTRL_RX_EXTRA | CTRL_VLAN | GUEST_ANNOUNCE | MQ | CTRL_MAC_ADDR);
        met = unless(met, CTRL_VQ, CTRL_GUEST_OFFLOADS);
        met = unless(met, CSUM, HOST_SEGMENTATION);
        met = unless(met, HOST_TSO4 | HOST_TSO6, HOST_ECN);
        met = unless(met, GUEST_CSUM, GUEST_SEGMENTATION);
        met = unless(met, MRG_RXBUF, GUEST_SEGMENTATION);
        return unless(met, GUEST_TSO4 | GUEST_TSO6, GUEST_ECN);
    }

    private static long unless(long features, long oneOf, long dependent) {
        return (features & oneOf) == 0 ? features & ~dependent : features;
    }
}

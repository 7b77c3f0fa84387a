package io.iolab.devices.driver.virtio;

/** Feature bits that this driver can use, as masks (virtio 1.2 sections 5.1.3 and 6). */
public final class VirtioFeatures {
    /** The device has a station address in its configuration. */
    public static final long MAC = 1L << 5;

    /** A received frame may span several buffers. */
    public static final long MRG_RXBUF = 1L << 15;
    /** The link state is in the configuration. */
    public static final long STATUS = 1L << 16;

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

    /** What {@link VirtioOptions#defaults} wants: everything, but for other forms of rings and kicks. */
    public static final long DEFAULT =
            MAC | MRG_RXBUF | STATUS | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ACCESS_PLATFORM;

    /** Everything above. */
    public static final long ALL =
            DEFAULT | RING_PACKED | IN_ORDER | ORDER_PLATFORM | NOTIFICATION_DATA | NOTIF_CONFIG_DATA | RING_RESET;

    private VirtioFeatures() {}
}

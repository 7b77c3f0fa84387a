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

    /** Everything above. */
    public static final long ALL = MAC | MRG_RXBUF | STATUS | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ACCESS_PLATFORM;

    private VirtioFeatures() {}
}

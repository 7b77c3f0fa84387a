package io.iolab.devices.virtio.queue;

/** Reserved feature bits that shape queues and transport (virtio 1.2 section 6), as masks. */
public final class RingFeatures {
    /** VIRTIO_F_INDIRECT_DESC. */
    public static final long INDIRECT_DESC = 1L << 28;

    /** VIRTIO_F_EVENT_IDX. */
    public static final long EVENT_IDX = 1L << 29;

    /** VIRTIO_F_VERSION_1. */
    public static final long VERSION_1 = 1L << 32;

    /** VIRTIO_F_ACCESS_PLATFORM: the device's addresses are translated by the platform. */
    public static final long ACCESS_PLATFORM = 1L << 33;

    /** VIRTIO_F_RING_PACKED. */
    public static final long RING_PACKED = 1L << 34;

    /** VIRTIO_F_IN_ORDER: buffers are used in the order in which they were made available. */
    public static final long IN_ORDER = 1L << 35;

    /** VIRTIO_F_ORDER_PLATFORM: memory is ordered as towards a device, not as towards a processor. */
    public static final long ORDER_PLATFORM = 1L << 36;

    /** VIRTIO_F_NOTIFICATION_DATA: kicks tell how far the driver got. */
    public static final long NOTIFICATION_DATA = 1L << 38;

    /** VIRTIO_F_NOTIF_CONFIG_DATA: kicks carry a number of the device's in place of the queue's. */
    public static final long NOTIF_CONFIG_DATA = 1L << 39;

    /** VIRTIO_F_RING_RESET: queues can be reset one by one. */
    public static final long RING_RESET = 1L << 40;

    private RingFeatures() {}

    /** Whether all bits of {@code mask} are among {@code features}. */
    public static boolean has(long features, long mask) {
        return (features & mask) == mask;
    }
}

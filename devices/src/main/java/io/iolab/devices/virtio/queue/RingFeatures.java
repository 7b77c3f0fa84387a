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

    private RingFeatures() {}

    /** Whether all bits of {@code mask} are among {@code features}. */
    public static boolean has(long features, long mask) {
        return (features & mask) == mask;
    }
}

package io.iolab.devices.virtio;

import io.iolab.devices.virtio.queue.RingFeatures;
import org.jspecify.annotations.Nullable;

/** The common configuration structure (virtio 1.2 section 4.1.4.3), in its order. */
enum CommonField {
    DEVICE_FEATURE_SELECT(0x00, 4, true),
    DEVICE_FEATURE(0x04, 4, false),
    DRIVER_FEATURE_SELECT(0x08, 4, true),
    DRIVER_FEATURE(0x0C, 4, true),
    CONFIG_MSIX_VECTOR(0x10, 2, true),
    NUM_QUEUES(0x12, 2, false),
    DEVICE_STATUS(0x14, 1, true),
    CONFIG_GENERATION(0x15, 1, false),
    QUEUE_SELECT(0x16, 2, true),
    QUEUE_SIZE(0x18, 2, true),
    QUEUE_MSIX_VECTOR(0x1A, 2, true),
    QUEUE_ENABLE(0x1C, 2, true),
    QUEUE_NOTIFY_OFF(0x1E, 2, false),
    QUEUE_DESC(0x20, 8, true),
    QUEUE_DRIVER(0x28, 8, true),
    QUEUE_DEVICE(0x30, 8, true),
    QUEUE_NOTIF_CONFIG_DATA(0x38, 2, false, RingFeatures.NOTIF_CONFIG_DATA),
    QUEUE_RESET(0x3A, 2, true, RingFeatures.RING_RESET);

    /** Bytes up to the end of the last field. */
    static final int LENGTH = 0x3C;

    private static final CommonField[] AT = new CommonField[LENGTH];

    static {
        for (CommonField field : values()) {
            for (int i = 0; i < field.width; i++) {
                AT[field.offset + i] = field;
            }
        }
    }

    final int offset;
    final int width;
    final boolean writable;
    /** The feature that must have been negotiated for the field to exist, or 0. */
    final long feature;

    final String specName = name().toLowerCase(java.util.Locale.ROOT);

    CommonField(int offset, int width, boolean writable) {
        this(offset, width, writable, 0);
    }

    CommonField(int offset, int width, boolean writable, long feature) {
        this.feature = feature;
        this.offset = offset;
        this.width = width;
        this.writable = writable;
    }

    /** The field that covers an offset, or null past the last one. */
    static @Nullable CommonField at(long offset) {
        return offset >= 0 && offset < LENGTH ? AT[(int) offset] : null;
    }

    /** Fields are taken as a whole, 64-bit ones as two halves (section 4.1.3.1). */
    boolean takes(int accessOffset, int accessWidth) {
        return width == 8
                ? accessWidth == 4 && (accessOffset & 3) == 0
                : accessWidth == width && accessOffset == offset;
    }
}

package io.iolab.vmm.rings;

import io.iolab.devices.virtio.queue.RingFeatures;

/**
 * How buffers are to be passed.
 *
 * @param size descriptors in the ring, a power of two from 2 to 32768
 * @param batch buffers that either end shows the other at once, 1 to {@code size}
 * @param suppression whether the ends sleep and wake each other, with VIRTIO_F_EVENT_IDX; or else poll
 */
public record ExchangePlan(RingLayout layout, int size, int batch, boolean suppression) {

    /** The ring that Linux's ringtest uses by default. */
    public static final int DEFAULT_SIZE = 256;

    public ExchangePlan {
        if (size < 2 || size > 1 << 15 || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException("ring size " + size + " is not a power of two from 2 to 32768");
        }
        if (batch < 1 || batch > size) {
            throw new IllegalArgumentException("batch " + batch + " is not 1 to the ring size, " + size);
        }
    }

    /** Free descriptors that are worth the driver's while: a quarter of the ring, and a batch at least. */
    int refill() {
        return Math.max(batch, size / 4);
    }

    long features() {
        return layout.features() | (suppression ? RingFeatures.EVENT_IDX : 0);
    }
}

package io.iolab.devices.virtio.net;

import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.Arrays;

/**
 * What a virtio network device is built with.
 *
 * @param mac station address, 6 bytes, not a group address
 * @param queueSize the most descriptors a queue may have: a power of two, 2 to 32768
 * @param offeredFeatures VERSION_1 and a subset of {@link NetFeatures#IMPLEMENTED}
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out
public record VirtioNetOptions(byte[] mac, int queueSize, long offeredFeatures) {
    private static final int DEFAULT_QUEUE_SIZE = 256;
    private static final int MAX_QUEUE_SIZE = 32768;

    /** @throws IllegalArgumentException if a value is out of its range */
    public VirtioNetOptions {
        if (mac.length != 6 || (mac[0] & 1) != 0) {
            throw new IllegalArgumentException("not a station address: " + Arrays.toString(mac));
        }
        if (Integer.bitCount(queueSize) != 1 || queueSize < 2 || queueSize > MAX_QUEUE_SIZE) {
            throw new IllegalArgumentException("queue size " + queueSize);
        }
        if (!RingFeatures.has(offeredFeatures, RingFeatures.VERSION_1)
                || !RingFeatures.has(NetFeatures.IMPLEMENTED, offeredFeatures)) {
            throw new IllegalArgumentException("cannot offer features 0x" + Long.toHexString(offeredFeatures));
        }
        mac = mac.clone();
    }

    /** Queues of 256, {@link NetFeatures#DEFAULT}. */
    public static VirtioNetOptions defaults(byte[] mac) {
        return new VirtioNetOptions(mac, DEFAULT_QUEUE_SIZE, NetFeatures.DEFAULT);
    }

    /** A copy. */
    @Override
    public byte[] mac() {
        return mac.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VirtioNetOptions that
                && Arrays.equals(mac, that.mac)
                && queueSize == that.queueSize
                && offeredFeatures == that.offeredFeatures;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(mac) * 31 + queueSize * 7 + Long.hashCode(offeredFeatures);
    }
}

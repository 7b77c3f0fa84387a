package io.iolab.devices.driver.virtio;

/**
 * What an administrator of a guest can choose.
 *
 * @param features those wanted if offered, a subset of {@link VirtioFeatures#ALL}; VERSION_1 is always taken
 * @param largestQueue descriptors a queue may have, 8 to 32768 and without RING_PACKED a power of two; the device may have
 *     fewer
 * @param bufferSize bytes of a receive buffer with its header: 64 to 65536 with MRG_RXBUF, 1526 to 65536 without
 * @param header where a transmitted frame's header is put
 * @param queuePairs those wanted, 1 to 8; the device may have fewer, and without MQ there is one
 */
public record VirtioOptions(long features, int largestQueue, int bufferSize, HeaderPlacement header, int queuePairs) {
    /** The most queue pairs. */
    public static final int MAX_QUEUE_PAIRS = 8;

    /** Where the 12 bytes go that virtio-net wants in front of a transmitted frame. */
    public enum HeaderPlacement {
        /** Right before the frame in one buffer and one descriptor, as Linux does when there is headroom. */
        IN_FRONT,
        /** In a buffer of its own: a chain of two descriptors, or an indirect table where INDIRECT_DESC is negotiated. */
        SEPARATE
    }

    /** Header and the longest untagged frame without FCS: what a buffer must hold without MRG_RXBUF (virtio 1.2 5.1.6.3.1). */
    static final int LEAST_BUFFER = 1526;

    public VirtioOptions {
        if ((features & ~VirtioFeatures.ALL) != 0) {
            throw new IllegalArgumentException(
                    "features 0x" + Long.toHexString(features & ~VirtioFeatures.ALL) + " are not supported");
        }
        boolean packed = (features & VirtioFeatures.RING_PACKED) != 0;
        if (largestQueue < 8 || largestQueue > 32768 || !packed && Integer.bitCount(largestQueue) != 1) {
            throw new IllegalArgumentException(
                    "largestQueue " + largestQueue + " is not from 8 to 32768, or no power of two");
        }
        boolean mergeable = (features & VirtioFeatures.MRG_RXBUF) != 0;
        if (bufferSize < (mergeable ? 64 : LEAST_BUFFER) || bufferSize > 65536) {
            throw new IllegalArgumentException("bufferSize " + bufferSize);
        }
        if (queuePairs < 1 || queuePairs > MAX_QUEUE_PAIRS) {
            throw new IllegalArgumentException("queuePairs " + queuePairs);
        }
    }

    /** One queue pair. */
    public VirtioOptions(long features, int largestQueue, int bufferSize, HeaderPlacement header) {
        this(features, largestQueue, bufferSize, header, 1);
    }

    /**
     * {@link VirtioFeatures#DEFAULT}, one queue pair, the device's queue size up to 1024, 2 KiB buffers, headers in front.
     */
    public static VirtioOptions defaults() {
        return new VirtioOptions(VirtioFeatures.DEFAULT, 1024, 2048, HeaderPlacement.IN_FRONT);
    }

    /** Asks for these features, too. */
    public VirtioOptions with(long masks) {
        return new VirtioOptions(features | masks, largestQueue, bufferSize, header, queuePairs);
    }

    /** Asks for MQ, too, and the control queue that it needs. */
    public VirtioOptions withQueuePairs(int pairs) {
        long wanted = features | VirtioFeatures.MQ | VirtioFeatures.CTRL_VQ;
        return new VirtioOptions(wanted, largestQueue, bufferSize, header, pairs);
    }

    public VirtioOptions without(long masks) {
        return new VirtioOptions(features & ~masks, largestQueue, bufferSize, header, queuePairs);
    }

    public VirtioOptions withLargestQueue(int descriptors) {
        return new VirtioOptions(features, descriptors, bufferSize, header, queuePairs);
    }

    public VirtioOptions withBufferSize(int bytes) {
        return new VirtioOptions(features, largestQueue, bytes, header, queuePairs);
    }

    public VirtioOptions withHeader(HeaderPlacement placement) {
        return new VirtioOptions(features, largestQueue, bufferSize, placement, queuePairs);
    }
}

package io.iolab.devices.virtio.net;

import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.Arrays;

/**
 * What a virtio network device is built with.
 *
 * @param mac station address, 6 bytes, not a group address
 * @param queueSize the most descriptors a queue may have: a power of two, 2 to 32768
 * @param offeredFeatures VERSION_1 and a subset of {@link NetFeatures#IMPLEMENTED}, complete by section 5.1.3.1
 * @param queuePairs 1 to 8; more than one only with MQ or RSS
 * @param mtu what MTU offers to the driver, 68 to 65535
 * @param link speed and duplex mode, as SPEED_DUPLEX shows them
 * @param receiveMode what a reset leaves of receive filtering
 * @param vectors entries of the MSI-X table, 1 to 128; 0 for one for each queue and the configuration
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out
public record VirtioNetOptions(
        byte[] mac,
        int queueSize,
        long offeredFeatures,
        int queuePairs,
        int mtu,
        LinkMode link,
        ReceiveMode receiveMode,
        int vectors) {
    /** The most queue pairs. */
    public static final int MAX_QUEUE_PAIRS = 8;

    private static final int DEFAULT_QUEUE_SIZE = 256;
    private static final int CONTROL_QUEUE_SIZE = 64;
    private static final int MAX_QUEUE_SIZE = 32768;
    private static final int DEFAULT_MTU = 1500;
    private static final int LEAST_MTU = 68;
    private static final int MAX_VECTORS = 128;
    private static final long SEVERAL_PAIRS = NetFeatures.MQ | NetFeatures.RSS;

    /** What passes the receive filter before the driver has programmed it, on which the specification is silent. */
    public enum ReceiveMode {
        /** Everything, as QEMU has it: a driver without control queue sees all that comes. */
        PROMISCUOUS,
        /**
         * With CTRL_RX negotiated only what is addressed to the station or to all; everything without it, since the driver
         * could not ask for more.
         */
        FILTERING
    }

    /**
     * The configuration's speed and duplex fields (section 5.1.4).
     *
     * @param megabits per second, 0 to 2^31 - 1, or -1 for unknown
     * @param duplex 1 full, 0 half, 255 unknown
     */
    public record LinkMode(int megabits, int duplex) {
        /** Neither is known. */
        public static final LinkMode UNKNOWN = new LinkMode(-1, 0xFF);

        /** @throws IllegalArgumentException if a value is out of its range */
        public LinkMode {
            if (megabits < -1 || duplex != 0 && duplex != 1 && duplex != 0xFF) {
                throw new IllegalArgumentException("link of " + megabits + " Mb/s, duplex " + duplex);
            }
        }

        public static LinkMode fullDuplex(int megabits) {
            return new LinkMode(megabits, 1);
        }
    }

    /** @throws IllegalArgumentException if a value is out of its range */
    public VirtioNetOptions {
        if (mac.length != 6 || (mac[0] & 1) != 0) {
            throw new IllegalArgumentException("not a station address: " + Arrays.toString(mac));
        }
        if (Integer.bitCount(queueSize) != 1 || queueSize < 2 || queueSize > MAX_QUEUE_SIZE) {
            throw new IllegalArgumentException("queue size " + queueSize);
        }
        if (!RingFeatures.has(offeredFeatures, RingFeatures.VERSION_1)
                || !RingFeatures.has(NetFeatures.IMPLEMENTED, offeredFeatures)
                || !NetFeatures.complete(offeredFeatures)) {
            throw new IllegalArgumentException("cannot offer features 0x" + Long.toHexString(offeredFeatures));
        }
        if (queuePairs < 1
                || queuePairs > MAX_QUEUE_PAIRS
                || queuePairs > 1 && (offeredFeatures & SEVERAL_PAIRS) == 0) {
            throw new IllegalArgumentException(queuePairs + " queue pairs");
        }
        if (mtu < LEAST_MTU || mtu > 0xFFFF) {
            throw new IllegalArgumentException("MTU " + mtu);
        }
        if (vectors < 0 || vectors > MAX_VECTORS) {
            throw new IllegalArgumentException(vectors + " MSI-X vectors");
        }
        mac = mac.clone();
    }

    /** One queue pair, MTU 1500, unknown speed, promiscuous. */
    public VirtioNetOptions(byte[] mac, int queueSize, long offeredFeatures) {
        this(mac, queueSize, offeredFeatures, 1, DEFAULT_MTU, LinkMode.UNKNOWN, ReceiveMode.PROMISCUOUS, 0);
    }

    /** Queues of 256, {@link NetFeatures#DEFAULT}. */
    public static VirtioNetOptions defaults(byte[] mac) {
        return new VirtioNetOptions(mac, DEFAULT_QUEUE_SIZE, NetFeatures.DEFAULT);
    }

    /** Offers these features, too. */
    public VirtioNetOptions withFeatures(long more) {
        return new VirtioNetOptions(
                mac, queueSize, offeredFeatures | more, queuePairs, mtu, link, receiveMode, vectors);
    }

    public VirtioNetOptions withQueueSize(int descriptors) {
        return new VirtioNetOptions(mac, descriptors, offeredFeatures, queuePairs, mtu, link, receiveMode, vectors);
    }

    /** Offers MQ, too, and the control queue that it needs. */
    public VirtioNetOptions withQueuePairs(int pairs) {
        long features = offeredFeatures | NetFeatures.MQ | NetFeatures.CTRL_VQ;
        return new VirtioNetOptions(mac, queueSize, features, pairs, mtu, link, receiveMode, vectors);
    }

    /** Offers MTU, too. */
    public VirtioNetOptions withMtu(int bytes) {
        return new VirtioNetOptions(
                mac, queueSize, offeredFeatures | NetFeatures.MTU, queuePairs, bytes, link, receiveMode, vectors);
    }

    /** Offers SPEED_DUPLEX, too. */
    public VirtioNetOptions withLink(LinkMode mode) {
        return new VirtioNetOptions(
                mac,
                queueSize,
                offeredFeatures | NetFeatures.SPEED_DUPLEX,
                queuePairs,
                mtu,
                mode,
                receiveMode,
                vectors);
    }

    public VirtioNetOptions withReceiveMode(ReceiveMode mode) {
        return new VirtioNetOptions(mac, queueSize, offeredFeatures, queuePairs, mtu, link, mode, vectors);
    }

    /** So few that queues must share theirs, for example. */
    public VirtioNetOptions withVectors(int entries) {
        return new VirtioNetOptions(mac, queueSize, offeredFeatures, queuePairs, mtu, link, receiveMode, entries);
    }

    int vectorsOrDefault() {
        return vectors == 0 ? queues() + 1 : vectors;
    }

    boolean offers(long feature) {
        return RingFeatures.has(offeredFeatures, feature);
    }

    /** All queues that the device has: those of the pairs, and the control queue behind them. */
    int queues() {
        return 2 * queuePairs + (offers(NetFeatures.CTRL_VQ) ? 1 : 0);
    }

    /** The control queue is offered with at most 64 descriptors. */
    int queueSize(int queue) {
        return queue == 2 * queuePairs ? Math.min(queueSize, CONTROL_QUEUE_SIZE) : queueSize;
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
                && offeredFeatures == that.offeredFeatures
                && queuePairs == that.queuePairs
                && mtu == that.mtu
                && link.equals(that.link)
                && receiveMode == that.receiveMode
                && vectors == that.vectors;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(mac) * 31 + queueSize * 7 + Long.hashCode(offeredFeatures) + queuePairs + mtu;
    }
}

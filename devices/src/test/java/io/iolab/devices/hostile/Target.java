package io.iolab.devices.hostile;

import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.golden.Bench;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;

/** The devices under attack, with the most DMA that one call of them may cause. */
enum Target {
    I82540EM((dma, pin, wire, clock) -> E1000.create(E1000Model.I82540EM, mac(), dma, pin, wire, clock), Bound.E1000),
    I82574L((dma, pin, wire, clock) -> E1000.create(E1000Model.I82574L, mac(), dma, pin, wire, clock), Bound.E1000),
    VIRTIO_NET(
            (dma, pin, wire, clock) -> new VirtioNet(VirtioNetOptions.defaults(mac()), dma, pin, wire, clock),
            Bound.VIRTIO),
    /** All that can be offered: packed rings, eight pairs, a control queue, offloads. */
    VIRTIO_NET_FULL(
            (dma, pin, wire, clock) -> new VirtioNet(
                    VirtioNetOptions.defaults(mac())
                            .withFeatures(NetFeatures.IMPLEMENTED)
                            .withQueuePairs(VirtioNetOptions.MAX_QUEUE_PAIRS),
                    dma,
                    pin,
                    wire,
                    clock),
            Bound.VIRTIO_FULL);

    /**
     * The most DMA requests that one call may cause: so many, and so many more for each frame that it may move.
     *
     * @param perCall whatever the call
     * @param perFrame for each frame of the budget of a poll, or the one frame that arrives
     */
    record Bound(long perCall, long perFrame) {
        /**
         * A poll walks at most {@value #WALK} descriptors that carry no frame: for each a share of a fetch, its buffer, and
         * a share of a write-back; for each of up to five vectors a message.
         */
        static final Bound E1000 = new Bound(4L * Bound.WALK, 4 * Bound.LONGEST_FRAME_IN_BUFFERS);

        /**
         * A chain has at most 256 descriptors, in the table and as many in one indirect table, each fetched, and its buffer
         * moved; index, used element, flags, event field, a message.
         */
        static final Bound VIRTIO = new Bound(16, 3 * 256 + 8);

        /**
         * Queue by queue a call may also write and read event fields, and send a message; and a received frame may take as
         * many chains as it has bytes for.
         */
        static final Bound VIRTIO_FULL = new Bound(17 * 16, 3 * 256 + 32);

        /** Descriptors in a row that yield no frame. */
        private static final int WALK = 4096;
        /** 16 KiB in buffers of 256 bytes. */
        private static final int LONGEST_FRAME_IN_BUFFERS = 64;

        long of(int frames) {
            return perCall + frames * perFrame;
        }
    }

    private static final byte[] MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    private final Bench.Maker maker;
    private final Bound bound;

    Target(Bench.Maker maker, Bound bound) {
        this.maker = maker;
        this.bound = bound;
    }

    static byte[] mac() {
        return MAC.clone();
    }

    Bench.Maker maker() {
        return maker;
    }

    Bound bound() {
        return bound;
    }

    boolean isVirtio() {
        return this == VIRTIO_NET || this == VIRTIO_NET_FULL;
    }

    /** The random driver that knows this device. */
    HostileGuest guest(long seed) {
        return switch (this) {
            case I82540EM, I82574L -> new HostileE1000Guest(seed, this);
            case VIRTIO_NET -> new HostileVirtioGuest(seed, this);
            case VIRTIO_NET_FULL -> new HostileRogueGuest(seed, this);
        };
    }
}

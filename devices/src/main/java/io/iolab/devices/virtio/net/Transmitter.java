package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.net.OffloadPort;
import io.iolab.devices.net.PacketOffload.Segmentation;
import io.iolab.devices.net.PacketSegmenter;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * A transmitq: driver to wire (virtio 1.2 section 5.1.6.2). A packet whose header asks for an offload goes to the wire as it
 * is if that is a port which takes it, else its checksum is finished or it is cut here, a frame for each step of a poll's
 * budget; its chain is used when the last of them has left.
 */
final class Transmitter {
    private static final long SEGMENTATION = NetFeatures.HOST_TSO4 | NetFeatures.HOST_TSO6 | NetFeatures.HOST_USO;

    private final VirtioPci transport;
    private final DmaPort dma;
    private final FramePort wire;
    private final @Nullable OffloadPort offloadWire;
    private final NetConfig config;
    private final Steering steering;
    private final int pair;
    private final VirtioNetCounters counters;
    private final TransmitHeader header = new TransmitHeader();
    private final PacketSegmenter segmenter = new PacketSegmenter();

    /** Header and frame of the chain in hand. */
    private final byte[] packet;

    private int headerBytes = PacketFormat.HEADER;
    /** The most bytes a chain may have, header included, without being dropped. */
    private int longest;

    private int packetLength;
    private @Nullable Virtqueue queue;
    private boolean polled;
    private boolean pending;
    /** There is more to do about the packet in hand, whose chain is the one taken last. */
    private boolean held;

    private boolean plain;
    /** The packet in hand is being cut, and the segment made last has not left. */
    private boolean cutting;

    /** What {@link #gather} made of a chain. */
    private enum Gathered {
        FRAME,
        DROP,
        FAULT
    }

    Transmitter(
            VirtioPci transport,
            FramePort wire,
            NetConfig config,
            Steering steering,
            int pair,
            VirtioNetOptions options,
            VirtioNetCounters counters) {
        this.transport = transport;
        this.dma = transport.dma();
        this.wire = wire;
        this.offloadWire = wire instanceof OffloadPort port ? port : null;
        this.config = config;
        this.steering = steering;
        this.pair = pair;
        this.counters = counters;
        boolean large = (options.offeredFeatures() & SEGMENTATION) != 0;
        packet = new byte[PacketFormat.HASH_HEADER + (large ? PacketFormat.MAX_PACKET : PacketFormat.MAX_FRAME)];
    }

    void polled() {
        polled = true;
    }

    /** Chains may have been offered before DRIVER_OK, so the ring is looked at without a kick. */
    void start(@Nullable Virtqueue transmitq, long features) {
        queue = transmitq;
        pending = transmitq != null;
        held = false;
        cutting = false;
        header.start(features);
        headerBytes =
                RingFeatures.has(features, NetFeatures.HASH_REPORT) ? PacketFormat.HASH_HEADER : PacketFormat.HEADER;
        longest = headerBytes + ((features & SEGMENTATION) != 0 ? PacketFormat.MAX_PACKET : PacketFormat.MAX_FRAME);
    }

    void stop() {
        start(null, 0);
    }

    void kicked() {
        pending = queue != null;
    }

    boolean pending() {
        return pending;
    }

    /** @return frames sent, and chains dropped */
    int poll(int budget) {
        Virtqueue ring = queue;
        if (ring == null || !pending) {
            return 0;
        }
        ring.disableKicks();
        int served = 0;
        // The wire may lead back to this device, whose receiver may stop it: then nothing is pending any more.
        while (served < budget && pending && advance(ring)) {
            served++;
        }
        ring.publish();
        RingFault fault = ring.fault();
        if (fault != null) {
            transport.ringFault(fault);
        }
        return served;
    }

    /** Sends a frame or drops a chain; false if there is none, the wire is busy, or the ring is broken. */
    private boolean advance(Virtqueue ring) {
        if (!held) {
            switch (ring.take()) {
                case EMPTY -> {
                    return foundMore(ring);
                }
                case FAULT -> {
                    return false;
                }
                case CHAIN -> {}
            }
            Gathered gathered = gather(ring, ring.chain());
            if (gathered != Gathered.FRAME) {
                return gathered == Gathered.DROP && consume(ring);
            }
        }
        return plain ? sendFrame(ring) : sendOffloaded(ring);
    }

    private boolean sendFrame(Virtqueue ring) {
        int length = packetLength - headerBytes;
        held = wire.send(packet, headerBytes, length) == Delivery.BUSY;
        return !busy() && sent(ring, length);
    }

    private boolean busy() {
        counters.txBusy += held ? 1 : 0;
        return held;
    }

    private boolean sent(Virtqueue ring, int length) {
        counters.txFrames++;
        counters.txBytes += length;
        return consume(ring);
    }

    private boolean sendOffloaded(Virtqueue ring) {
        OffloadPort port = offloadWire;
        int length = packetLength - headerBytes;
        if (!cutting && port != null && port.takes(header.offload())) {
            held = port.send(packet, headerBytes, length, header.offload()) == Delivery.BUSY;
            if (busy()) {
                return false;
            }
            counters.txOffloadsPassedOn++;
            return sent(ring, length);
        }
        if (header.offload().segmentation() == Segmentation.NONE) {
            header.offload().finishChecksum(packet, headerBytes, length);
            counters.txChecksums++;
            plain = true;
            return sendFrame(ring);
        }
        return sendSegment(ring);
    }

    private boolean sendSegment(Virtqueue ring) {
        if (!cutting) {
            cutting = segmenter.next();
            counters.txPacketsCut++;
        }
        held = wire.send(packet, segmenter.offset(), segmenter.length()) == Delivery.BUSY;
        if (busy()) {
            return false;
        }
        counters.txSegments++;
        counters.txFrames++;
        counters.txBytes += segmenter.length();
        // The chain is used up with the last segment; and the wire may have led to a stop, see poll.
        cutting = queue == ring && segmenter.next();
        held = cutting;
        return cutting || consume(ring);
    }

    /** The ring is empty: kicks on, look again, and only then be done (section 2.7.10). Polled, it is never done. */
    private boolean foundMore(Virtqueue ring) {
        if (polled) {
            return false;
        }
        pending = ring.enableKicks();
        if (!pending) {
            return false;
        }
        ring.disableKicks();
        return advance(ring);
    }

    private static boolean consume(Virtqueue ring) {
        ring.complete(ring.token(), 0);
        return true;
    }

    /** Reads the chain into {@link #packet}. Every chain is walked to its end, so that a malformed one is noticed. */
    private Gathered gather(Virtqueue ring, DescriptorChain chain) {
        int length = 0;
        boolean oversize = false;
        boolean unreadable = false;
        Step step;
        while ((step = chain.next()) == Step.DESCRIPTOR) {
            long bytes = chain.length();
            // A device must not read what it may write; such buffers carry nothing here.
            if (bytes == 0 || chain.writable() || oversize || unreadable) {
                continue;
            }
            if (bytes > longest - length) {
                oversize = true;
            } else if (dma.read(chain.iova(), packet, length, (int) bytes, DmaKind.PAYLOAD) != DmaFault.NONE) {
                unreadable = true;
            } else {
                length += (int) bytes;
            }
        }
        if (step == Step.FAULT) {
            return Gathered.FAULT;
        }
        packetLength = length;
        if (oversize) {
            counters.txOversizeDrops++;
            return Gathered.DROP;
        }
        if (unreadable) {
            counters.txDmaFaultDrops++;
            return Gathered.DROP;
        }
        return judge(ring, length - headerBytes);
    }

    private Gathered judge(Virtqueue ring, int frameLength) {
        if (frameLength < 0) {
            ring.fail(RingFault.TOO_SHORT);
            return Gathered.FAULT;
        }
        if (frameLength < PacketFormat.MIN_FRAME) {
            counters.txRuntDrops++;
            return Gathered.DROP;
        }
        if (!config.linkUp()) {
            counters.txLinkDownDrops++;
            return Gathered.DROP;
        }
        plain = header.plain(packet);
        if (!plain) {
            HeaderFault fault = readHeader(frameLength);
            if (fault != null) {
                counters.txHeaderDrops[fault.ordinal()]++;
                return Gathered.DROP;
            }
        }
        if (frameLength > PacketFormat.MAX_FRAME && (plain || header.offload().segmentation() == Segmentation.NONE)) {
            counters.txOversizeDrops++;
            return Gathered.DROP;
        }
        if (steering.learns()) {
            steering.transmitted(pair, packet, headerBytes, frameLength);
        }
        return Gathered.FRAME;
    }

    /** Null if the packet can be sent as its header demands. */
    private @Nullable HeaderFault readHeader(int frameLength) {
        HeaderFault fault = header.read(packet, frameLength);
        if (fault != null || header.offload().segmentation() == Segmentation.NONE) {
            return fault;
        }
        return switch (segmenter.begin(packet, headerBytes, frameLength, header.offload(), PacketFormat.MAX_FRAME)) {
            case FINE -> null;
            case BAD_HEADERS -> HeaderFault.HEADERS;
            case BAD_SEGMENT_SIZE -> HeaderFault.GSO_SIZE;
        };
    }
}

package io.iolab.devices.virtio.net;

import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.PacketHeaders;
import io.iolab.devices.net.PacketOffload;
import io.iolab.devices.net.PacketOffload.Segmentation;
import io.iolab.devices.net.PacketSegmenter;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a frame between the wire and a receive queue.
 *
 * <pre>
 *   frame -> filter -> hash, steering -> checksum verified? -> Receiver of the pair
 *   packet with an offload left to do -> filter -> the driver takes it?  yes: as above, with the offload in its header
 *                                                                        no: finished or cut here, then as above
 * </pre>
 *
 * <p>With nothing of this in use a frame passes through one branch.
 */
final class ReceivePath {
    private final ReceiveFilter filter;
    private final PacketHash hash;
    private final Steering steering;
    private final VirtioNetCounters counters;
    private final ReceivedPacket packet;
    private final Receiver[] receivers;
    private final PacketHeaders headers = new PacketHeaders();
    private final PacketSegmenter segmenter = new PacketSegmenter();

    /** Where a packet is finished or cut that the driver does not take as it is; made when the first one comes. */
    private byte[] workspace = {};

    private long offloads;
    private boolean hashReported;

    ReceivePath(
            VirtioPci transport,
            VirtioNetOptions options,
            ReceiveFilter filter,
            PacketHash hash,
            Steering steering,
            VirtioNetCounters counters) {
        this.filter = filter;
        this.hash = hash;
        this.steering = steering;
        this.counters = counters;
        packet = new ReceivedPacket((options.offeredFeatures() & NetFeatures.RECEIVE_SEGMENTATION) != 0);
        receivers = new Receiver[options.queuePairs()];
        for (int i = 0; i < receivers.length; i++) {
            receivers[i] = new Receiver(transport, packet, counters);
        }
    }

    Receiver receiver(int pair) {
        return receivers[pair];
    }

    /** See {@link VirtioNet#polled}. */
    void polled() {
        for (Receiver receiver : receivers) {
            receiver.polled();
        }
    }

    /** @param usablePairs those whose queues are what their number says */
    void start(long features, @Nullable Virtqueue[] queues, int usablePairs) {
        offloads = features & NetFeatures.GUEST_OFFLOADS;
        hashReported = RingFeatures.has(features, NetFeatures.HASH_REPORT);
        packet.start(hashReported);
        for (int i = 0; i < usablePairs; i++) {
            receivers[i].start(queues[2 * i], features);
        }
    }

    void stop() {
        offloads = 0;
        for (Receiver receiver : receivers) {
            receiver.stop();
        }
    }

    /** Which of the negotiated receive offloads are switched on (section 5.1.6.5.6). */
    void offloads(long switchedOn) {
        offloads = switchedOn;
    }

    /** Whether the driver takes a packet as it is. */
    boolean takes(PacketOffload offload) {
        if (offload.checksumNeeded() && !on(NetFeatures.GUEST_CSUM)) {
            return false;
        }
        if (offload.congestionExperienced() && !on(NetFeatures.GUEST_ECN)) {
            return false;
        }
        return switch (offload.segmentation()) {
            case NONE -> true;
            case TCP_IPV4 -> on(NetFeatures.GUEST_TSO4);
            case TCP_IPV6 -> on(NetFeatures.GUEST_TSO6);
            // The offload does not say which version of IP carries the datagrams.
            case UDP -> on(NetFeatures.GUEST_USO4 | NetFeatures.GUEST_USO6);
        };
    }

    private boolean on(long feature) {
        return RingFeatures.has(offloads, feature);
    }

    /** A frame as it is on a wire. */
    Delivery send(byte[] frame, int offset, int length) {
        if (!receivers[0].usable() && !steering.chooses()) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        if (length < PacketFormat.MIN_FRAME || length > PacketFormat.MAX_FRAME) {
            counters.rxSizeDrops++;
            return Delivery.DROPPED;
        }
        if (!filter.accepts(frame, offset, length)) {
            return Delivery.FILTERED;
        }
        return deliver(frame, offset, length);
    }

    private Delivery deliver(byte[] frame, int offset, int length) {
        packet.clear();
        boolean verify = (offloads & NetFeatures.GUEST_CSUM) != 0;
        if (!verify && !hashReported && !steering.chooses()) {
            return receivers[0].send(frame, offset, length);
        }
        Receiver receiver = classify(frame, offset, length);
        if (verify && headers.checksumVerified(frame, offset, length)) {
            packet.checksumVerified();
            Delivery delivery = receiver.send(frame, offset, length);
            counters.rxChecksumsVerified += delivery == Delivery.ACCEPTED ? 1 : 0;
            return delivery;
        }
        return receiver.send(frame, offset, length);
    }

    /** Finds headers and hash. @return where the frame goes */
    private Receiver classify(byte[] frame, int offset, int length) {
        headers.parse(frame, offset, length);
        if (hash.enabled()) {
            hash.classify(headers, frame, offset);
            if (hashReported && hash.found()) {
                packet.hash(hash.value(), hash.report());
            }
        }
        if (!steering.chooses()) {
            return receivers[0];
        }
        Receiver chosen = receivers[steering.receivePair(headers, frame, offset)];
        return chosen.usable() ? chosen : firstUsable();
    }

    /** A queue under reset, or never enabled, is steered around (section 5.1.6.5.5 with 2.6.1). */
    private Receiver firstUsable() {
        for (int i = 0; i < receivers.length; i++) {
            if (steering.receives(i) && receivers[i].usable()) {
                return receivers[i];
            }
        }
        return receivers[0];
    }

    /** A packet with something left to do. */
    Delivery send(byte[] frame, int offset, int length, PacketOffload offload) {
        if (offload.isNothing()) {
            return send(frame, offset, length);
        }
        boolean whole = offload.segmentation() == Segmentation.NONE;
        if (length < PacketFormat.MIN_FRAME || length > (whole ? PacketFormat.MAX_FRAME : PacketFormat.MAX_PACKET)) {
            counters.rxSizeDrops++;
            return Delivery.DROPPED;
        }
        if (!offload.checksumNeeded() || !offload.checksumFits(length) || !whole && offload.segmentSize() <= 0) {
            counters.rxOffloadDrops++;
            return Delivery.DROPPED;
        }
        if (!filter.accepts(frame, offset, length)) {
            return Delivery.FILTERED;
        }
        if (takes(offload)) {
            return passOn(frame, offset, length, offload);
        }
        if (workspace.length == 0) {
            workspace = new byte[PacketFormat.MAX_PACKET];
        }
        System.arraycopy(frame, offset, workspace, 0, length);
        return whole ? finish(length, offload) : cut(length, offload);
    }

    private Delivery passOn(byte[] frame, int offset, int length, PacketOffload offload) {
        packet.clear();
        Receiver receiver = hashReported || steering.chooses() ? classify(frame, offset, length) : receivers[0];
        packet.offload(offload);
        Delivery delivery = receiver.send(frame, offset, length);
        counters.rxOffloadsPassedOn += delivery == Delivery.ACCEPTED ? 1 : 0;
        return delivery;
    }

    private Delivery finish(int length, PacketOffload offload) {
        offload.finishChecksum(workspace, 0, length);
        Delivery delivery = deliver(workspace, 0, length);
        counters.rxChecksumsFinished += delivery == Delivery.ACCEPTED ? 1 : 0;
        return delivery;
    }

    /** The first segment decides what became of the packet; those behind it are lost if they find no room. */
    private Delivery cut(int length, PacketOffload offload) {
        if (segmenter.begin(workspace, 0, length, offload, PacketFormat.MAX_FRAME) != PacketSegmenter.Check.FINE) {
            counters.rxOffloadDrops++;
            return Delivery.DROPPED;
        }
        segmenter.next();
        Delivery outcome = deliver(workspace, segmenter.offset(), segmenter.length());
        if (outcome != Delivery.ACCEPTED) {
            return outcome;
        }
        counters.rxPacketsCut++;
        while (segmenter.next()) {
            boolean placed = deliver(workspace, segmenter.offset(), segmenter.length()) == Delivery.ACCEPTED;
            counters.rxSegmentDrops += placed ? 0 : 1;
        }
        return outcome;
    }
}

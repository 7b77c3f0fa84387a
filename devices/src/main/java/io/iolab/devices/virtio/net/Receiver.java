package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.RingFeatures;
import io.iolab.devices.virtio.queue.Virtqueue;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A receiveq: wire to driver (virtio 1.2 section 5.1.6.3). A frame's buffers are gathered first, with nothing written, then
 * filled; so a frame that does not fit leaves no trace.
 */
final class Receiver {
    private static final int USUAL_SEGMENTS = 32;

    private final VirtioPci transport;
    private final DmaPort dma;
    private final VirtioNetCounters counters;

    private final ReceivedPacket packet;

    private @Nullable Virtqueue queue;
    private boolean mergeable;
    private boolean polled;
    private boolean kicked;
    private long packets;

    /** The chains taken for the frame in hand and the bytes each is to get. */
    private int[] tokens = {};

    private int[] shares = {};
    private int taken;

    /**
     * Descriptors that may still be walked for the frame in hand: one for each of its bytes, and a ring's worth that hold nothing.
     * Without a limit every buffer could be a table of the ring's size with one byte in it.
     */
    private int allowance;

    /** Where the packet goes: consecutive parts, none empty, so never more than the packet has bytes. */
    private long[] segmentIovas = new long[USUAL_SEGMENTS];

    private int[] segmentLengths = new int[USUAL_SEGMENTS];
    private int segments;

    /** How gathering buffers ended. */
    private enum Gathered {
        ENOUGH,
        NOT_ENOUGH,
        /** The frame can never fit. */
        NEVER_ENOUGH,
        FAULT
    }

    Receiver(VirtioPci transport, ReceivedPacket packet, VirtioNetCounters counters) {
        this.transport = transport;
        this.packet = packet;
        this.dma = transport.dma();
        this.counters = counters;
    }

    void polled() {
        polled = true;
    }

    /** The first poll after this tells the driver that it need not kick. */
    void start(@Nullable Virtqueue receiveq, long features) {
        queue = receiveq;
        kicked = receiveq != null;
        packets = 0;
        mergeable = RingFeatures.has(features, NetFeatures.MRG_RXBUF);
        int mostChains = receiveq == null ? 0 : receiveq.size();
        tokens = new int[mostChains];
        shares = new int[mostChains];
    }

    void stop() {
        queue = null;
        kicked = false;
    }

    void kicked() {
        kicked = queue != null;
    }

    boolean pending() {
        return kicked;
    }

    /** There are buffers again: no further kicks until {@link #send} runs out. */
    void poll() {
        Virtqueue ring = queue;
        if (kicked && ring != null) {
            kicked = false;
            ring.disableKicks();
            report(ring);
        }
    }

    /** Whether there is a queue to receive on. */
    boolean usable() {
        return queue != null;
    }

    /** Packets placed since {@link #start}. */
    long packets() {
        return packets;
    }

    /** @param length 14 up to what a {@link ReceivedPacket} has room for */
    Delivery send(byte[] frame, int offset, int length) {
        Virtqueue ring = queue;
        if (ring == null) {
            counters.rxFiltered++;
            return Delivery.FILTERED;
        }
        Gathered gathered = gather(ring, packet.headerBytes() + length);
        Delivery outcome = switch (gathered) {
            case ENOUGH -> place(ring, frame, offset, length);
            case NOT_ENOUGH -> {
                ring.giveBack(taken);
                counters.rxBusy++;
                yield Delivery.BUSY;
            }
            case NEVER_ENOUGH -> {
                ring.giveBack(taken);
                counters.rxBufferTooSmallDrops++;
                yield Delivery.DROPPED;
            }
            case FAULT -> {
                counters.rxRingFaultDrops++;
                yield Delivery.DROPPED;
            }
        };
        report(ring);
        return outcome;
    }

    private void report(Virtqueue ring) {
        RingFault fault = ring.fault();
        if (fault != null) {
            transport.ringFault(fault);
        }
    }

    /** Takes chains until they have room for {@code needed} bytes. */
    private Gathered gather(Virtqueue ring, int needed) {
        taken = 0;
        segments = 0;
        allowance = ring.size() + needed;
        int missing = needed;
        while (missing > 0) {
            Virtqueue.Take found = ring.take();
            if (found == Virtqueue.Take.FAULT) {
                return Gathered.FAULT;
            }
            if (found == Virtqueue.Take.EMPTY) {
                // Kicks on and one more look, before anything is given back: the kick is wanted for a new buffer.
                if (!polled && ring.enableKicks()) {
                    continue;
                }
                return taken == ring.size() ? Gathered.NEVER_ENOUGH : Gathered.NOT_ENOUGH;
            }
            tokens[taken] = ring.token();
            int share = collect(ring, missing);
            if (share < 0) {
                return Gathered.FAULT;
            }
            // Each buffer must hold something, and the first one the header (section 5.1.6.3.1).
            if (share == 0 || taken == 0 && share < packet.headerBytes()) {
                ring.fail(RingFault.TOO_SHORT);
                return Gathered.FAULT;
            }
            shares[taken++] = share;
            missing -= share;
            if (missing > 0 && !mergeable) {
                return Gathered.NEVER_ENOUGH;
            }
        }
        return Gathered.ENOUGH;
    }

    /** Notes the parts of a chain that up to {@code wanted} bytes will fill: how many they are, or -1 on a fault. */
    private int collect(Virtqueue ring, int wanted) {
        DescriptorChain chain = ring.chain();
        int room = 0;
        Step step;
        while ((step = chain.next()) == Step.DESCRIPTOR) {
            if (--allowance < 0) {
                ring.fail(RingFault.TOO_SHORT);
                return -1;
            }
            int part = chain.writable() ? (int) Math.min(chain.length(), wanted - room) : 0;
            if (part > 0) {
                addSegment(chain.iova(), part);
                room += part;
            }
        }
        return step == Step.END ? room : -1;
    }

    private void addSegment(long iova, int length) {
        if (segments == segmentIovas.length) {
            segmentIovas = Arrays.copyOf(segmentIovas, 2 * segments);
            segmentLengths = Arrays.copyOf(segmentLengths, 2 * segments);
        }
        segmentIovas[segments] = iova;
        segmentLengths[segments++] = length;
    }

    /** Fills the gathered buffers and shows them to the driver with one index update (section 5.1.6.4). */
    private Delivery place(Virtqueue ring, byte[] frame, int offset, int length) {
        boolean written = writeSegments(packet.fill(frame, offset, length, taken));
        if (queue != ring) {
            // A buffer was a register of ours: the queue was reset, and its memory is no longer ours to write.
            counters.rxRingFaultDrops++;
            return Delivery.DROPPED;
        }
        for (int i = 0; i < taken; i++) {
            ring.complete(tokens[i], written ? shares[i] : 0);
        }
        ring.publish();
        ring.disableKicks();
        if (!written) {
            counters.rxDmaFaultDrops++;
            return Delivery.DROPPED;
        }
        packets++;
        counters.rxFrames++;
        counters.rxBytes += length;
        return Delivery.ACCEPTED;
    }

    private boolean writeSegments(byte[] bytes) {
        int from = 0;
        for (int i = 0; i < segments; i++) {
            if (dma.write(segmentIovas[i], bytes, from, segmentLengths[i], DmaKind.PAYLOAD) != DmaFault.NONE) {
                return false;
            }
            from += segmentLengths[i];
        }
        return true;
    }
}

package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.net.FramePort;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.DescriptorChain;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/** transmitq1: driver to wire (virtio 1.2 section 5.1.6.2). */
final class Transmitter {
    private final VirtioPci transport;
    private final DmaPort dma;
    private final FramePort wire;
    private final NetConfig config;
    private final VirtioNetCounters counters;

    /** Header and frame of the chain in hand. */
    private final byte[] packet = new byte[PacketFormat.HEADER + PacketFormat.MAX_FRAME];

    private int packetLength;
    private @Nullable Virtqueue queue;
    private boolean polled;
    private boolean pending;
    /** The packet in hand found the wire busy; its chain is the one taken last. */
    private boolean held;

    /** What {@link #gather} made of a chain. */
    private enum Gathered {
        FRAME,
        DROP,
        FAULT
    }

    Transmitter(VirtioPci transport, FramePort wire, NetConfig config, VirtioNetCounters counters) {
        this.transport = transport;
        this.dma = transport.dma();
        this.wire = wire;
        this.config = config;
        this.counters = counters;
    }

    void polled() {
        polled = true;
    }

    /** Chains may have been offered before DRIVER_OK, so the ring is looked at without a kick. */
    void start(@Nullable Virtqueue transmitq) {
        queue = transmitq;
        pending = transmitq != null;
        held = false;
    }

    void stop() {
        start(null);
    }

    void kicked() {
        pending = queue != null;
    }

    boolean pending() {
        return pending;
    }

    /** @return chains consumed */
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

    /** Consumes one chain; false if there is none, the wire is busy, or the ring is broken. */
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
        int length = packetLength - PacketFormat.HEADER;
        held = wire.send(packet, PacketFormat.HEADER, length) == Delivery.BUSY;
        if (held) {
            counters.txBusy++;
            return false;
        }
        counters.txFrames++;
        counters.txBytes += length;
        return consume(ring);
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
            if (bytes > packet.length - length) {
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
        return judge(ring, length - PacketFormat.HEADER);
    }

    /** The header's fields all belong to offloads; none is offered, so none is looked at (section 5.1.6.2.2). */
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
        return Gathered.FRAME;
    }
}

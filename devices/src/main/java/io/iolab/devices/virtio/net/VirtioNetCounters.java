package io.iolab.devices.virtio.net;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.virtio.TransportCounters;
import io.iolab.devices.virtio.VirtioPci;
import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/** What a virtio network device counted since power-on. Written by the owning thread; reads from others may lag. */
public final class VirtioNetCounters {
    private final VirtioPci transport;
    private @Nullable Virtqueue[] live = {};
    private long retiredChains;
    private long retiredDescriptors;

    long txFrames;
    long txBytes;
    long txBusy;
    long txOversizeDrops;
    long txRuntDrops;
    long txDmaFaultDrops;
    long txLinkDownDrops;
    long rxFrames;
    long rxBytes;
    long rxBusy;
    long rxFiltered;
    long rxSizeDrops;
    long rxBufferTooSmallDrops;
    long rxDmaFaultDrops;
    long rxRingFaultDrops;
    long interruptsSuppressed;

    VirtioNetCounters(VirtioPci transport) {
        this.transport = transport;
    }

    void queues(@Nullable Virtqueue[] queues) {
        retiredChains = chains();
        retiredDescriptors = descriptors();
        live = queues;
    }

    /** A queue of {@link #queues} is gone; its owner takes it out of that array. */
    void retire(Virtqueue queue) {
        retiredChains += queue.chains();
        retiredDescriptors += queue.descriptors();
    }

    private TransportCounters common() {
        return transport.counters();
    }

    /** Frames handed to the wire, whatever became of them there. */
    public long txFrames() {
        return txFrames;
    }

    /** Their bytes, without virtio header and FCS. */
    public long txBytes() {
        return txBytes;
    }

    /** Times the wire had no room and a frame was kept for a later poll. */
    public long txBusy() {
        return txBusy;
    }

    /** Frames of the driver that are longer than the wire takes. */
    public long txOversizeDrops() {
        return txOversizeDrops;
    }

    /** Frames of the driver that are shorter than an Ethernet header. */
    public long txRuntDrops() {
        return txRuntDrops;
    }

    /** Frames of the driver with bytes that could not be read. */
    public long txDmaFaultDrops() {
        return txDmaFaultDrops;
    }

    /** Frames of the driver that came while the link was down. */
    public long txLinkDownDrops() {
        return txLinkDownDrops;
    }

    /** Frames placed into receive buffers. */
    public long rxFrames() {
        return rxFrames;
    }

    /** Their bytes, without virtio header and FCS. */
    public long rxBytes() {
        return rxBytes;
    }

    /** Frames refused for want of receive buffers; the sender keeps them. */
    public long rxBusy() {
        return rxBusy;
    }

    /** Frames that came before DRIVER_OK, without a receive queue, or while the link was down. */
    public long rxFiltered() {
        return rxFiltered;
    }

    /** Frames from the wire shorter than an Ethernet header or longer than the device takes. */
    public long rxSizeDrops() {
        return rxSizeDrops;
    }

    /** Frames longer than the buffer, or with MRG_RXBUF than all buffers that the ring can hold. */
    public long rxBufferTooSmallDrops() {
        return rxBufferTooSmallDrops;
    }

    /** Frames for which a buffer could not be written. */
    public long rxDmaFaultDrops() {
        return rxDmaFaultDrops;
    }

    /** Frames lost because the receive ring turned out malformed. */
    public long rxRingFaultDrops() {
        return rxRingFaultDrops;
    }

    /** Kicks that reached a queue of the running device: 0 receiveq1, 1 transmitq1. */
    public long kicks(int queue) {
        return common().kicks(queue);
    }

    /** Kicks that came while the device was not running, or for no queue. */
    public long kicksIgnored() {
        return common().kicksIgnored();
    }

    /** Messages and INTx assertions, configuration changes included. */
    public long interruptsSent() {
        return transport.interruptsSent();
    }

    /** Bursts of used buffers for which the driver wanted no interrupt. */
    public long interruptsSuppressed() {
        return interruptsSuppressed;
    }

    /** Chains completed. */
    public final long chains() {
        long sum = retiredChains;
        for (Virtqueue queue : live) {
            sum += queue == null ? 0 : queue.chains();
        }
        return sum;
    }

    /** Descriptors walked. */
    public final long descriptors() {
        long sum = retiredDescriptors;
        for (Virtqueue queue : live) {
            sum += queue == null ? 0 : queue.descriptors();
        }
        return sum;
    }

    /** How often the device went to DEVICE_NEEDS_RESET. */
    public long needsReset() {
        return common().needsReset();
    }

    /** Of those, for this cause. */
    public long ringFaults(RingFault fault) {
        return common().ringFaults(fault);
    }

    /** BAR accesses without effect, by reason. */
    public long ignored(RegisterFault fault) {
        return common().ignored(fault);
    }
}

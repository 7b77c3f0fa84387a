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
    long txChecksums;
    long txPacketsCut;
    long txSegments;
    long txOffloadsPassedOn;
    final long[] txHeaderDrops = new long[HeaderFault.values().length];
    long rxAddressFiltered;
    long rxVlanFiltered;
    long rxChecksumsVerified;
    long rxChecksumsFinished;
    long rxOffloadsPassedOn;
    long rxPacketsCut;
    long rxSegmentDrops;
    long rxOffloadDrops;
    long commands;
    long commandErrors;
    long kicksDisabled;

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

    /** Checksums finished for the driver's packets, those that were cut not counted. */
    public long txChecksums() {
        return txChecksums;
    }

    /** Packets of the driver that were cut. */
    public long txPacketsCut() {
        return txPacketsCut;
    }

    /** Frames that became of them; also among {@link #txFrames}. */
    public long txSegments() {
        return txSegments;
    }

    /** Packets handed to the wire with an offload left to do, since it took them so; also among {@link #txFrames}. */
    public long txOffloadsPassedOn() {
        return txOffloadsPassedOn;
    }

    /** Packets of the driver whose header asks for what cannot be done. */
    public long txHeaderDrops(HeaderFault fault) {
        return txHeaderDrops[fault.ordinal()];
    }

    /** Packets of the driver whose header asks for what cannot be done, for any reason. */
    public long txHeaderDrops() {
        long sum = 0;
        for (long drops : txHeaderDrops) {
            sum += drops;
        }
        return sum;
    }

    /** Frames that the driver's address filter held back. */
    public long rxAddressFiltered() {
        return rxAddressFiltered;
    }

    /** Frames that the driver's VLAN filter held back. */
    public long rxVlanFiltered() {
        return rxVlanFiltered;
    }

    /** Frames given to the driver with DATA_VALID. */
    public long rxChecksumsVerified() {
        return rxChecksumsVerified;
    }

    /** Checksums finished for a driver that does not take unfinished ones. */
    public long rxChecksumsFinished() {
        return rxChecksumsFinished;
    }

    /** Packets given to the driver with an offload left to do. */
    public long rxOffloadsPassedOn() {
        return rxOffloadsPassedOn;
    }

    /** Packets cut for a driver that does not take them whole. */
    public long rxPacketsCut() {
        return rxPacketsCut;
    }

    /** Segments of such packets that found no room behind the first. */
    public long rxSegmentDrops() {
        return rxSegmentDrops;
    }

    /** Packets from the wire whose offload makes no sense. */
    public long rxOffloadDrops() {
        return rxOffloadDrops;
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

    /** Frames that came before DRIVER_OK, without a receive queue, or while the link was down; not what a filter held back. */
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

    /** Kicks that reached a queue of the running device: 0 receiveq1, 1 transmitq1 and so on. */
    public long kicks(int queue) {
        return common().kicks(queue);
    }

    /** Kicks that came while the device was not running, or for no queue. */
    public long kicksIgnored() {
        return common().kicksIgnored();
    }

    /** Kicks of queues that the driver has not taken into use. */
    public long kicksDisabled() {
        return kicksDisabled;
    }

    /** Commands on the control queue. */
    public long commands() {
        return commands;
    }

    /** Of those, the ones answered with an error. */
    public long commandErrors() {
        return commandErrors;
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

package io.iolab.devices.virtio;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.fault.RingFault;

/** Counts kept by the transport since power-on. Written by the owning thread; reads from others may lag. */
public final class TransportCounters {
    private final long[] ignored = new long[RegisterFault.values().length];
    private final long[] ringFaults = new long[RingFault.values().length];
    private final long[] kicks;
    private long kicksIgnored;
    private long needsReset;

    TransportCounters(int queues) {
        kicks = new long[queues];
    }

    void countIgnored(RegisterFault fault) {
        ignored[fault.ordinal()]++;
    }

    void countRingFault(RingFault fault) {
        ringFaults[fault.ordinal()]++;
        needsReset++;
    }

    void countKick(int queue) {
        kicks[queue]++;
    }

    void countIgnoredKick() {
        kicksIgnored++;
    }

    /** BAR accesses that had no effect, by reason. */
    public long ignored(RegisterFault fault) {
        return ignored[fault.ordinal()];
    }

    /** Malformed rings by cause; each stopped the device. */
    public long ringFaults(RingFault fault) {
        return ringFaults[fault.ordinal()];
    }

    /** Kicks that reached a queue of the running device. */
    public long kicks(int queue) {
        return kicks[queue];
    }

    /** Kicks while the device was not running. */
    public long kicksIgnored() {
        return kicksIgnored;
    }

    /** How often DEVICE_NEEDS_RESET was set. */
    public long needsReset() {
        return needsReset;
    }
}

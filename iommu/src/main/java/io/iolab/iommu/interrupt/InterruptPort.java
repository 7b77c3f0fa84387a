package io.iolab.iommu.interrupt;

import io.iolab.devices.irq.MessagePort;
import io.iolab.iommu.fault.FaultReason;
import org.jspecify.annotations.Nullable;

/**
 * The way of one requester's interrupt messages to the processors (VT-d 5.1.4, 5.2.3). A blocked message is dropped: a write to the
 * interrupt range is posted, and its sender learns nothing.
 *
 * <p>A posted interrupt goes into a descriptor in host memory; the message that leaves the unit is the notification, and only when
 * one is due.
 *
 * <p>Threading: one thread at a time, that of the requester; counters may be read from any and may lag behind.
 */
public final class InterruptPort implements MessagePort {
    private static final int LEVEL_ASSERT = 1 << 14;

    private final int rid;
    private final InterruptRemapper remapper;
    private long low;
    private long high;

    private long passed;
    private long remapped;
    private long posted;
    private long notifications;
    private long blocked;
    private long hits;
    private long misses;

    InterruptPort(int rid, InterruptRemapper remapper) {
        this.rid = rid;
        this.remapper = remapper;
    }

    void hit(long entryLow, long entryHigh) {
        hits++;
        low = entryLow;
        high = entryHigh;
    }

    void miss(long entryLow, long entryHigh) {
        misses++;
        low = entryLow;
        high = entryHigh;
    }

    /** The order of checks is that of VT-d 5.1.4.1: format, reserved bits, index, entry, source. */
    @Override
    public void message(long address, int data) {
        InterruptMode mode = remapper.mode();
        if (!mode.enabled()) {
            pass(address, data);
            return;
        }
        if (!InterruptRequest.remappable(address)) {
            if (mode.passesCompatibility()) {
                pass(address, data);
            } else {
                block(FaultReason.COMPATIBILITY_BLOCKED, false, 0);
            }
            return;
        }
        int index = InterruptRequest.index(address, data);
        if (InterruptRequest.reservedSet(address, data)) {
            block(FaultReason.MESSAGE_RESERVED, false, index);
        } else if (index >= mode.entries()) {
            block(FaultReason.INDEX_BEYOND_TABLE, false, index);
        } else {
            remap(mode, index);
        }
    }

    /**
     * A write to the interrupt range by a request with PASID, which is no interrupt: it is blocked, and recorded while remapping is
     * on.
     */
    public void messageWithPasid() {
        if (remapper.mode().enabled()) {
            block(FaultReason.MESSAGE_WITH_PASID, false, 0);
        } else {
            blocked++;
        }
    }

    private void pass(long address, int data) {
        passed++;
        remapper.processors.message(address, data);
    }

    private void remap(InterruptMode mode, int index) {
        FaultReason reason = remapper.find(this, index);
        if (reason == null && !InterruptEntry.admits(high, rid)) {
            reason = FaultReason.SOURCE_REFUSED;
        }
        if (reason == null && InterruptEntry.posted(low)) {
            reason = post(mode);
        } else if (reason == null) {
            remapped++;
            remapper.processors.message(
                    InterruptEntry.messageAddress(low, mode.extended()), InterruptEntry.messageData(low));
        }
        if (reason != null) {
            block(reason, InterruptEntry.faultsDisabled(low), index);
        }
    }

    private @Nullable FaultReason post(InterruptMode mode) {
        long descriptorHpa = InterruptEntry.descriptorHpa(low, high);
        if (!remapper.memory.contains(descriptorHpa, PostedDescriptor.BYTES)) {
            return FaultReason.POSTED_DESCRIPTOR_UNREADABLE;
        }
        if (PostedDescriptor.reservedSet(remapper.memory, descriptorHpa)) {
            return FaultReason.POSTED_DESCRIPTOR_RESERVED;
        }
        posted++;
        long notification = PostedDescriptor.post(
                remapper.memory, descriptorHpa, InterruptEntry.vector(low), InterruptEntry.urgent(low));
        if (notification != 0) {
            notifications++;
            int destination = PostedDescriptor.destination(notification, mode.extended());
            remapper.processors.message(
                    InterruptEntry.destinationAddress(destination),
                    PostedDescriptor.notificationVector(notification) | LEVEL_ASSERT);
        }
        return null;
    }

    private void block(FaultReason reason, boolean faultsDisabled, int index) {
        blocked++;
        remapper.blocked(reason, faultsDisabled, rid, index);
    }

    /** Messages that went through unmodified: remapping off, or compatibility format let through. */
    public long passed() {
        return passed;
    }

    /** Messages rebuilt from a remapped entry. */
    public long remapped() {
        return remapped;
    }

    /** Messages recorded in a posted-interrupt descriptor. */
    public long posted() {
        return posted;
    }

    /** Notifications sent for posted messages. */
    public long notifications() {
        return notifications;
    }

    /** Messages dropped with a fault. */
    public long blocked() {
        return blocked;
    }

    /** Entries found in the interrupt entry cache. */
    public long hits() {
        return hits;
    }

    /** Entries looked for in the table. */
    public long misses() {
        return misses;
    }
}

package io.iolab.iommu;

import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.fault.PageRequestQueue;
import io.iolab.iommu.interrupt.InterruptPort;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.iommu.invalidate.Invalidations;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a unit did since it was built, over all requesters. Values are read when asked for, not kept.
 *
 * <p>Threading: any thread; values may lag behind the threads that run the requesters.
 */
public final class IommuCounters {
    private final Supplier<List<RequesterCounters>> requesters;
    private final Invalidations invalidations;
    private final Supplier<List<InterruptPort>> interrupts;
    private final FaultRecorder recorder;
    private final @Nullable PageRequestQueue pageRequests;
    private final ProtectedMemory protectedMemory;

    IommuCounters(
            Supplier<List<RequesterCounters>> requesters,
            Supplier<List<InterruptPort>> interrupts,
            Invalidations invalidations,
            FaultRecorder recorder,
            @Nullable PageRequestQueue pageRequests,
            ProtectedMemory protectedMemory) {
        this.requesters = requesters;
        this.interrupts = interrupts;
        this.pageRequests = pageRequests;
        this.protectedMemory = protectedMemory;
        this.invalidations = invalidations;
        this.recorder = recorder;
    }

    private long sum(ToLongFunction<RequesterCounters> value) {
        long sum = 0;
        for (RequesterCounters counters : requesters.get()) {
            sum += value.applyAsLong(counters);
        }
        return sum;
    }

    /** See {@link RequesterCounters#iotlbHits}. */
    public long iotlbHits() {
        return sum(RequesterCounters::iotlbHits);
    }

    public long iotlbMisses() {
        return sum(RequesterCounters::iotlbMisses);
    }

    public long contextHits() {
        return sum(RequesterCounters::contextHits);
    }

    public long contextMisses() {
        return sum(RequesterCounters::contextMisses);
    }

    /** Table entries read from memory. */
    public long walkAccesses() {
        return sum(RequesterCounters::walkAccesses);
    }

    /** Page requests translated or passed through. */
    public long requests() {
        return sum(RequesterCounters::requests);
    }

    public long bytesRead() {
        return sum(RequesterCounters::bytesRead);
    }

    public long bytesWritten() {
        return sum(RequesterCounters::bytesWritten);
    }

    /** Page requests blocked with a fault. */
    public long blocked() {
        return sum(RequesterCounters::blocked);
    }

    /** Page requests translated to an address that no memory backs. */
    public long unbacked() {
        return sum(RequesterCounters::unbacked);
    }

    public long messages() {
        return sum(RequesterCounters::messages);
    }

    private long sumInterrupts(ToLongFunction<InterruptPort> value) {
        long sum = 0;
        for (InterruptPort port : interrupts.get()) {
            sum += value.applyAsLong(port);
        }
        return sum;
    }

    /** Interrupt messages that went through unmodified. */
    public long interruptsPassed() {
        return sumInterrupts(InterruptPort::passed);
    }

    /** Interrupt messages rebuilt from a remapped entry. */
    public long interruptsRemapped() {
        return sumInterrupts(InterruptPort::remapped);
    }

    /** Interrupt messages recorded in a posted-interrupt descriptor. */
    public long interruptsPosted() {
        return sumInterrupts(InterruptPort::posted);
    }

    /** Notifications sent for posted interrupts. */
    public long notifications() {
        return sumInterrupts(InterruptPort::notifications);
    }

    /** Interrupt messages dropped with a fault. */
    public long interruptsBlocked() {
        return sumInterrupts(InterruptPort::blocked);
    }

    /** Interrupt-remapping table entries found in the interrupt entry cache. */
    public long interruptEntryHits() {
        return sumInterrupts(InterruptPort::hits);
    }

    public long interruptEntryMisses() {
        return sumInterrupts(InterruptPort::misses);
    }

    /** Page requests of devices written into the page-request queue. */
    public long pageRequestsQueued() {
        return pageRequests == null ? 0 : pageRequests.queued();
    }

    /** Page requests of devices lost, for want of room or of a queue. */
    public long pageRequestsLost() {
        return pageRequests == null ? 0 : pageRequests.lost();
    }

    /** Requests that were not translated and would have reached protected memory. */
    public long protectedBlocked() {
        return protectedMemory.blocked();
    }

    /** Page requests blocked for this reason, recorded or not. */
    public long faults(FaultReason reason) {
        return recorder.faults(reason);
    }

    /** Faults that got a fault record of their own. */
    public long faultsRecorded() {
        return recorder.recorded();
    }

    /** Faults merged into a pending record of the same requester. */
    public long faultsCollapsed() {
        return recorder.collapsed();
    }

    /** Qualified faults that FPD kept out of the records. */
    public long faultsSuppressed() {
        return recorder.suppressed();
    }

    /** Faults lost to an overflow of the records. */
    public long faultsLost() {
        return recorder.lost();
    }

    /** Invalidations carried out, by register and by queue. */
    public long invalidations(InvalidationKind kind) {
        return invalidations.byRegister(kind) + invalidations.byQueue(kind);
    }

    public long registerInvalidations(InvalidationKind kind) {
        return invalidations.byRegister(kind);
    }

    public long queuedInvalidations(InvalidationKind kind) {
        return invalidations.byQueue(kind);
    }
}

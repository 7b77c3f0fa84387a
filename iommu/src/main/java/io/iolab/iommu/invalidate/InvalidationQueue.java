package io.iolab.iommu.invalidate;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.fault.EventSignal;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.register.VtdRegisters;
import org.jspecify.annotations.Nullable;

/**
 * Queued invalidation (VT-d 6.5.2). The tail write is the doorbell; descriptors are carried out in order, each completely before
 * the next, so that a fence and a wait have nothing left to wait for.
 *
 * <pre>
 *   QIE 0->1: latch IQA, IQH = 0       IQT write: run
 *
 *        +-----+   IQH != IQT   +---------+   bad descriptor   +--------+
 *        | idle| ------------>  | running | -----------------> | frozen |  FSTS.IQE, IQERCD.IQEI, IQH on the offender
 *        +-----+ <------------  +---------+ <----------------- +--------+
 *                  IQH == IQT                 software clears IQE: fetched again from IQH
 * </pre>
 *
 * <p>Types whose function is not offered (device-TLB, interrupt entry cache, PASID) are invalid. The run is bounded by the size of
 * the queue; a completion message goes out when the run ends, so a handler that rings the doorbell again starts a run of its own.
 *
 * <p>Threading: under the unit's lock.
 */
public final class InvalidationQueue {
    private static final long WIDE_DESCRIPTORS = 1 << 11;
    private static final int COMPLETE = 1;

    private final RegisterFile registers;
    private final Memory memory;
    private final Invalidations invalidations;
    private final EventSignal completion;
    private @Nullable FaultRecorder faults;

    private boolean enabled;
    private long baseHpa;
    private int bytes;
    private boolean wide;
    private boolean completionDue;

    public InvalidationQueue(
            RegisterFile registers, Memory memory, Invalidations invalidations, EventSignal completion) {
        this.registers = registers;
        this.memory = memory;
        this.invalidations = invalidations;
        this.completion = completion;
        // The offset lies in the low half, which is all that software with 32-bit accesses writes.
        registers.onWrite(VtdRegisters.IQT, (written, previous) -> run());
        registers.onWrite(VtdRegisters.ICS, (written, previous) -> statusCleared());
    }

    /** Where errors of the queue are reported; set once, while the unit is put together. */
    public void reportTo(FaultRecorder recorder) {
        faults = recorder;
    }

    public boolean enabled() {
        return enabled;
    }

    /** GCMD.QIE 0 to 1. A tail that is already ahead is worked off at once. */
    public void enable() {
        long address = registers.get64(VtdRegisters.IQA);
        baseHpa = address & ~0xFFFL;
        bytes = 4096 << (int) (address & 7);
        wide = (address & WIDE_DESCRIPTORS) != 0;
        registers.set64(VtdRegisters.IQH, 0);
        enabled = true;
        run();
    }

    /**
     * GCMD.QIE 1 to 0, allowed only when the queue is drained.
     *
     * @return whether it was
     */
    public boolean disable() {
        if (registers.get(VtdRegisters.IQH) != registers.get(VtdRegisters.IQT)) {
            return false;
        }
        enabled = false;
        registers.set64(VtdRegisters.IQH, 0);
        return true;
    }

    /** FSTS.IQE was cleared: takes the descriptor at the head once more. */
    public void resume() {
        registers.set64(VtdRegisters.IQERCD, 0);
        run();
    }

    private void run() {
        FaultRecorder recorder = faults;
        if (!enabled || recorder == null || recorder.queueErrorPending()) {
            return;
        }
        QueueError error = drain();
        if (error != QueueError.NONE) {
            registers.set64(VtdRegisters.IQERCD, error.ordinal());
            recorder.queueError(FaultRecorder.QUEUE_ERROR);
        }
        if (completionDue) {
            completionDue = false;
            completion.raise();
        }
    }

    private QueueError drain() {
        int tail = registers.get(VtdRegisters.IQT);
        int head = registers.get(VtdRegisters.IQH);
        if (tail >= bytes) {
            return QueueError.INVALID_TAIL;
        }
        while (head != tail) {
            QueueError error = wide ? QueueError.INVALID_WIDTH : take(baseHpa + head);
            if (error != QueueError.NONE) {
                return error;
            }
            head = head + InvalidationDescriptor.BYTES & bytes - 1;
            registers.set(VtdRegisters.IQH, head);
        }
        return QueueError.NONE;
    }

    private QueueError take(long descriptorHpa) {
        if (!memory.contains(descriptorHpa, InvalidationDescriptor.BYTES)) {
            return QueueError.FETCH_ERROR;
        }
        long low = memory.loadLongAcquire(descriptorHpa);
        long high = memory.readLong(descriptorHpa + 8);
        if (InvalidationDescriptor.reservedSet(low, high)) {
            return QueueError.RESERVED_FIELD;
        }
        int domain = InvalidationDescriptor.domain(low);
        int granularity = InvalidationDescriptor.granularity(low);
        InvalidationKind done;
        switch (InvalidationDescriptor.type(low)) {
            case InvalidationDescriptor.CONTEXT ->
                done = invalidations.context(
                        granularity,
                        domain,
                        InvalidationDescriptor.requester(low),
                        InvalidationDescriptor.functionMask(low));
            case InvalidationDescriptor.IOTLB -> done = invalidations.iotlb(granularity, domain, high);
            case InvalidationDescriptor.WAIT -> done = await(low, high);
            default -> {
                return QueueError.INVALID_TYPE;
            }
        }
        if (done == null) {
            return QueueError.RESERVED_FIELD;
        }
        invalidations.countByQueue(done);
        return QueueError.NONE;
    }

    /**
     * The status dword goes out before the interrupt. A wait for nothing (no status, no interrupt, no fence) is refused; a fence
     * alone is legal. A status address that no memory backs swallows the write, as any write of a root complex would be.
     */
    private @Nullable InvalidationKind await(long low, long statusHpa) {
        boolean interrupt = (low & InvalidationDescriptor.INTERRUPT) != 0;
        boolean status = (low & InvalidationDescriptor.STATUS_WRITE) != 0;
        if (!interrupt && !status && (low & InvalidationDescriptor.FENCE) == 0) {
            return null;
        }
        if (status && memory.contains(statusHpa, 4)) {
            memory.storeIntRelease(statusHpa, InvalidationDescriptor.statusData(low));
        }
        if (interrupt && (registers.get(VtdRegisters.ICS) & COMPLETE) == 0) {
            registers.set(VtdRegisters.ICS, COMPLETE);
            completionDue = true;
        }
        return InvalidationKind.WAIT;
    }

    private void statusCleared() {
        if ((registers.get(VtdRegisters.ICS) & COMPLETE) == 0) {
            completion.withdraw();
        }
    }
}

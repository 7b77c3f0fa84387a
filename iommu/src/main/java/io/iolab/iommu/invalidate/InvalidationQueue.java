package io.iolab.iommu.invalidate;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.fault.EventSignal;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.register.VtdRegisters;
import org.jspecify.annotations.Nullable;

/**
 * Queued invalidation (VT-d 6.5.2). The tail write is the doorbell; descriptors are carried out in order, each completely before
 * the next, so that a fence, a drain and a wait have nothing left to wait for but devices that do not answer.
 *
 * <pre>
 *   QIE 0->1: latch IQA, IQH = 0       IQT write: run
 *
 *        +-----+   IQH != IQT   +---------+   bad descriptor   +--------+
 *        | idle| ------------>  | running | -----------------> | frozen |  FSTS.IQE, IQERCD.IQEI, IQH on the offender
 *        +-----+ <------------  +---------+ <----------------- +--------+
 *                  IQH == IQT                 software clears IQE: fetched again from IQH
 *                                   |  wait behind a device-TLB invalidation without an answer
 *                                   +------------------------------> frozen: FSTS.ITE, ITESID, the wait is passed over undone
 * </pre>
 *
 * <p>A time-out is found by the next wait, or at the end of the run. Software that finds its wait behind the head and undone after ITE
 * submits again from there.
 *
 * <p>Types whose function is not offered are invalid. The run is bounded by the size of
 * the queue; a completion message goes out when the run ends, so a handler that rings the doorbell again starts a run of its own.
 *
 * <p>Threading: under the unit's lock.
 */
public final class InvalidationQueue {
    private static final long WIDE_DESCRIPTORS = 1 << 11;
    private static final int COMPLETE = 1;
    private static final int FREEZING = FaultRecorder.QUEUE_ERROR | FaultRecorder.TIMEOUT_ERROR;
    private static final int TIMED_OUT_SHIFT = 32;
    private static final int WRONG_COMPLETION_SHIFT = 48;
    private static final int NOBODY = -1;

    /** RTADDR.TTM. */
    private static final int SCALABLE_TABLES = 1;

    private static final int ABORT_TABLES = 3;

    private final RegisterFile registers;
    private final Memory memory;
    private final Invalidations invalidations;
    private final EventSignal completion;
    private final Capabilities capabilities;
    private @Nullable FaultRecorder faults;

    private boolean enabled;
    private long baseHpa;
    private int bytes;
    private boolean wide;
    private boolean completionDue;
    private int tableMode;
    private int timedOutRid = NOBODY;
    private boolean waitAborted;

    public InvalidationQueue(
            RegisterFile registers, Memory memory, Invalidations invalidations, EventSignal completion) {
        this.registers = registers;
        this.memory = memory;
        this.invalidations = invalidations;
        this.completion = completion;
        this.capabilities = invalidations.capabilities();
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

    /** RTADDR.TTM as latched: scalable mode needs 256-bit descriptors. */
    public void tableMode(int translationTableMode) {
        tableMode = translationTableMode;
    }

    /** Whether tables of scalable mode are in force. */
    public boolean scalableTables() {
        return tableMode == SCALABLE_TABLES && capabilities.scalableMode();
    }

    /** FSTS.IQE, ICE or ITE was cleared: forgets what they were about, and goes on from the head unless something is left. */
    public void resume() {
        int status = registers.get(VtdRegisters.FSTS);
        long record = registers.get64(VtdRegisters.IQERCD);
        record &= (status & FaultRecorder.QUEUE_ERROR) != 0 ? -1 : ~0xFL;
        record &= (status & FaultRecorder.TIMEOUT_ERROR) != 0 ? -1 : ~(0xFFFFL << TIMED_OUT_SHIFT);
        record &= (status & FaultRecorder.COMPLETION_ERROR) != 0 ? -1 : ~(0xFFFFL << WRONG_COMPLETION_SHIFT);
        registers.set64(VtdRegisters.IQERCD, record);
        run();
    }

    /** A device completed an invalidation that nobody asked it for: ICE, which does not stop the queue. */
    public void unexpectedCompletion(int rid) {
        FaultRecorder recorder = faults;
        if (recorder != null && capabilities.deviceTlb()) {
            note(WRONG_COMPLETION_SHIFT, 0xFFFF, rid);
            recorder.queueError(FaultRecorder.COMPLETION_ERROR);
        }
    }

    private void note(int shift, long mask, int value) {
        long record = registers.get64(VtdRegisters.IQERCD) & ~(mask << shift);
        registers.set64(VtdRegisters.IQERCD, record | (long) value << shift);
    }

    private void run() {
        FaultRecorder recorder = faults;
        if (!enabled || recorder == null || recorder.queueErrorPending(FREEZING)) {
            return;
        }
        QueueError error = drain();
        // Whoever handles the event may clear the error and so begin a run of its own: nothing of this one may be left.
        int timedOut = timedOutRid;
        timedOutRid = NOBODY;
        if (error != QueueError.NONE) {
            note(0, 0xF, error.ordinal());
            recorder.queueError(FaultRecorder.QUEUE_ERROR);
        }
        if (timedOut != NOBODY) {
            note(TIMED_OUT_SHIFT, 0xFFFF, timedOut);
            recorder.queueError(FaultRecorder.TIMEOUT_ERROR);
        }
        if (completionDue) {
            completionDue = false;
            completion.raise();
        }
    }

    private QueueError drain() {
        int tail = registers.get(VtdRegisters.IQT);
        int head = registers.get(VtdRegisters.IQH);
        QueueError error = head == tail ? QueueError.NONE : refusal(tail);
        int step = wide ? InvalidationDescriptor.WIDE_BYTES : InvalidationDescriptor.BYTES;
        while (head != tail && error == QueueError.NONE) {
            error = take(baseHpa + head, step);
            if (error == QueueError.NONE) {
                head = head + step & bytes - 1;
                registers.set(VtdRegisters.IQH, head);
                if (waitAborted) {
                    waitAborted = false;
                    break;
                }
            }
        }
        return error;
    }

    /** Why nothing can be fetched up to this tail. */
    private QueueError refusal(int tail) {
        if (tail >= bytes) {
            return QueueError.INVALID_TAIL;
        }
        if (!tableModeOffered()) {
            return QueueError.INVALID_TABLE_MODE;
        }
        if (wide && !capabilities.scalableMode() || !wide && tableMode == SCALABLE_TABLES) {
            return QueueError.INVALID_WIDTH;
        }
        if (wide && (tail & InvalidationDescriptor.BYTES) != 0) {
            return QueueError.MISALIGNED_TAIL;
        }
        return QueueError.NONE;
    }

    private boolean tableModeOffered() {
        return switch (tableMode) {
            case 0 -> true;
            case SCALABLE_TABLES -> capabilities.scalableMode();
            case ABORT_TABLES -> capabilities.abortDma();
            default -> false;
        };
    }

    private QueueError take(long descriptorHpa, int length) {
        if (!memory.contains(descriptorHpa, length)) {
            return QueueError.FETCH_ERROR;
        }
        long low = memory.loadLongAcquire(descriptorHpa);
        long high = memory.readLong(descriptorHpa + 8);
        if (!InvalidationDescriptor.offered(InvalidationDescriptor.type(low), capabilities)) {
            return QueueError.INVALID_TYPE;
        }
        if (InvalidationDescriptor.reservedSet(low, high, capabilities)
                || wide
                        && InvalidationDescriptor.upperReservedSet(
                                low, memory.readLong(descriptorHpa + 16), memory.readLong(descriptorHpa + 24))) {
            return QueueError.RESERVED_FIELD;
        }
        InvalidationKind done = carryOut(low, high);
        if (done == null) {
            return QueueError.RESERVED_FIELD;
        }
        if (!waitAborted) {
            invalidations.countByQueue(done);
        }
        return QueueError.NONE;
    }

    private @Nullable InvalidationKind carryOut(long low, long high) {
        int granularity = InvalidationDescriptor.granularity(low);
        int domain = InvalidationDescriptor.domain(low);
        return switch (InvalidationDescriptor.type(low)) {
            case InvalidationDescriptor.CONTEXT ->
                invalidations.context(
                        granularity,
                        domain,
                        InvalidationDescriptor.requester(low),
                        InvalidationDescriptor.functionMask(low));
            case InvalidationDescriptor.IOTLB -> invalidations.iotlb(granularity, domain, high);
            case InvalidationDescriptor.DEVICE_TLB -> {
                int rid = InvalidationDescriptor.requester(low);
                yield deviceAnswered(rid, invalidations.deviceTlb(rid, high));
            }
            case InvalidationDescriptor.INTERRUPT_ENTRY -> invalidations.interruptEntries(low);
            case InvalidationDescriptor.WAIT -> await(low, high);
            case InvalidationDescriptor.PASID_IOTLB -> invalidations.pasidIotlb(low, high);
            case InvalidationDescriptor.PASID_CACHE -> invalidations.pasidCache(low);
            case InvalidationDescriptor.PASID_DEVICE_TLB -> {
                int rid = InvalidationDescriptor.lowRequester(low);
                int pasid = InvalidationDescriptor.pasid(low);
                yield deviceAnswered(rid, invalidations.pasidDeviceTlb(rid, high, pasid));
            }
            default -> {
                invalidations.pageGroupResponse(low, high);
                yield InvalidationKind.PAGE_GROUP_RESPONSE;
            }
        };
    }

    /** Only the first that does not answer fits into the error record. */
    private InvalidationKind deviceAnswered(int rid, boolean answered) {
        if (!answered && timedOutRid == NOBODY) {
            timedOutRid = rid;
        }
        return InvalidationKind.DEVICE_TLB;
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
        if (timedOutRid != NOBODY) {
            waitAborted = true;
            return InvalidationKind.WAIT;
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

package io.iolab.iommu.fault;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.register.VtdRegisters;

/**
 * FSTS and the fault recording registers: where a fault goes, and when software is told (VT-d 7.2, "Fault Logging").
 *
 * <p>On a unit that compresses, a requester with a fault still pending collapses its next ones into it, so that one bad device cannot
 * fill the registers; a full ring sets PFO and loses faults until software clears it.
 *
 * <p>Threading: under the unit's lock.
 */
public final class FaultRecorder {
    private static final int OVERFLOW = 1;
    private static final int PENDING = 1 << 1;
    /** FSTS.IQE: the queue stopped on a descriptor. */
    public static final int QUEUE_ERROR = 1 << 4;

    /** FSTS.ICE: a device answered an invalidation with something else. */
    public static final int COMPLETION_ERROR = 1 << 5;

    /** FSTS.ITE: a device did not answer an invalidation in time. */
    public static final int TIMEOUT_ERROR = 1 << 6;

    /** READ, or 0 for a write: what kind of request it was, as {@link #record} takes it. */
    public static final int READ = 1;

    /** The request asked for execute permission. */
    public static final int EXECUTE = 1 << 1;

    /** The request was of supervisor privilege. */
    public static final int PRIVILEGED = 1 << 2;

    /** AT of the request, two bits from here: 0 untranslated, 1 translation request, 2 translated. */
    public static final int ADDRESS_TYPE_SHIFT = 4;

    /** In place of a PASID, for requests without one. */
    public static final int NO_PASID = -1;

    private static final int QUEUE_ERRORS = QUEUE_ERROR | COMPLETION_ERROR | TIMEOUT_ERROR;
    private static final int ANY = OVERFLOW | PENDING | QUEUE_ERRORS;
    private static final int INDEX = 0xFF00;
    private static final int INDEX_SHIFT = 8;

    private static final int FAULT = 1 << 31;
    private static final long READ_REQUEST = 1L << 62;
    private static final int RECORD_ADDRESS_TYPE_SHIFT = 60;
    private static final int PASID_SHIFT = 40;
    private static final int REASON_SHIFT = 32;
    private static final long PASID_PRESENT = 1L << 31;
    private static final long EXECUTE_REQUESTED = 1L << 30;
    private static final long PRIVILEGE_REQUESTED = 1L << 29;
    private static final int PASID_MASK = 0xF_FFFF;
    private static final int INTERRUPT_INDEX_SHIFT = 48;

    private final RegisterFile registers;
    private final EventSignal event;
    private final int records;
    private final boolean compress;
    private final Runnable queueErrorCleared;
    private final long[] byReason = new long[FaultReason.values().length];
    private int next;
    private long recorded;
    private long collapsed;
    private long suppressed;
    private long lost;

    /**
     * @param compress whether faults of a source that has a record pending are merged into it
     * @param queueErrorCleared called when software has cleared FSTS.IQE, ICE or ITE
     */
    public FaultRecorder(
            RegisterFile registers, int records, boolean compress, EventSignal event, Runnable queueErrorCleared) {
        this.registers = registers;
        this.records = records;
        this.compress = compress;
        this.event = event;
        this.queueErrorCleared = queueErrorCleared;
        registers.onWrite(VtdRegisters.FSTS, this::statusWritten);
        for (int i = 0; i < records; i++) {
            registers.onWrite(flagWord(i), (written, previous) -> recordCleared());
        }
    }

    private static int record(int index) {
        return VtdRegisters.FRCD + 16 * index;
    }

    /** The word that holds F, the top bit of the record. */
    private static int flagWord(int index) {
        return record(index) + 12;
    }

    /**
     * Notes a blocked request without PASID.
     *
     * @param faultsDisabled FPD of the context entry that was in force
     * @param iova any address in the page
     * @param read whether it was a read
     * @param addressType AT of the request: 0 untranslated, 1 translation request, 2 translated
     */
    public void record(FaultReason reason, boolean faultsDisabled, int rid, long iova, boolean read, int addressType) {
        record(reason, faultsDisabled, rid, iova, (read ? READ : 0) | addressType << ADDRESS_TYPE_SHIFT, NO_PASID);
    }

    /**
     * Notes a blocked request.
     *
     * @param faultsDisabled FPD of the context, directory or PASID entry that was in force
     * @param iova any address in the page
     * @param request {@link #READ}, {@link #EXECUTE}, {@link #PRIVILEGED}, and AT above {@link #ADDRESS_TYPE_SHIFT}
     * @param pasid 20 bits, or {@link #NO_PASID}
     */
    public void record(FaultReason reason, boolean faultsDisabled, int rid, long iova, int request, int pasid) {
        long flags = (request & READ) != 0 ? READ_REQUEST : 0;
        flags |= (long) (request >>> ADDRESS_TYPE_SHIFT & 3) << RECORD_ADDRESS_TYPE_SHIFT;
        if (pasid != NO_PASID) {
            flags |= PASID_PRESENT | (long) (pasid & PASID_MASK) << PASID_SHIFT;
            flags |= (request & EXECUTE) != 0 ? EXECUTE_REQUESTED : 0;
            flags |= (request & PRIVILEGED) != 0 ? PRIVILEGE_REQUESTED : 0;
        }
        long page = AddressRange.alignDown(iova, AddressRange.PAGE_SIZE);
        enter(reason, faultsDisabled, rid, page, flags);
    }

    /**
     * Notes a blocked interrupt request.
     *
     * @param faultsDisabled FPD of the interrupt-remapping table entry that was in force
     * @param index into the interrupt-remapping table; 16 bits count, and 0 stands for a request without one
     */
    public void interrupt(FaultReason reason, boolean faultsDisabled, int rid, int index) {
        enter(reason, faultsDisabled, rid, (long) index << INTERRUPT_INDEX_SHIFT, 0);
    }

    private void enter(FaultReason reason, boolean faultsDisabled, int rid, long information, long flags) {
        byReason[reason.ordinal()]++;
        int before = registers.get(VtdRegisters.FSTS);
        if (faultsDisabled && reason.qualified()) {
            suppressed++;
        } else if ((before & OVERFLOW) != 0) {
            lost++;
        } else if (compress && isPending(rid)) {
            collapsed++;
        } else if ((registers.get(flagWord(next)) & FAULT) != 0) {
            lost++;
            registers.set(VtdRegisters.FSTS, before | OVERFLOW);
            signal(before);
        } else {
            recorded++;
            registers.set64(record(next), information);
            long high = flags | (long) reason.code() << REASON_SHIFT | rid & 0xFFFF;
            registers.set64(record(next) + 8, high | 1L << 63);
            int first = next;
            next = next + 1 == records ? 0 : next + 1;
            if ((before & PENDING) == 0) {
                registers.set(VtdRegisters.FSTS, before & ~INDEX | first << INDEX_SHIFT | PENDING);
                signal(before);
            }
        }
    }

    /**
     * The invalidation queue stopped.
     *
     * @param error {@link #QUEUE_ERROR}, {@link #COMPLETION_ERROR} or {@link #TIMEOUT_ERROR}
     */
    public void queueError(int error) {
        int before = registers.get(VtdRegisters.FSTS);
        registers.set(VtdRegisters.FSTS, before | error);
        signal(before);
    }

    /** Whether these errors of the queue are set in FSTS. */
    public boolean queueErrorPending(int errors) {
        return (registers.get(VtdRegisters.FSTS) & errors) != 0;
    }

    private boolean isPending(int rid) {
        for (int i = 0; i < records; i++) {
            if ((registers.get(flagWord(i)) & FAULT) != 0 && (registers.get(record(i) + 8) & 0xFFFF) == rid) {
                return true;
            }
        }
        return false;
    }

    /** A condition that was already pending has had its message; a second one would tell software nothing. */
    private void signal(int statusBefore) {
        if ((statusBefore & ANY) == 0) {
            event.raise();
        }
    }

    private void statusWritten(int written, int previous) {
        withdrawIfQuiet();
        if ((previous & written & QUEUE_ERRORS) != 0) {
            queueErrorCleared.run();
        }
    }

    private void recordCleared() {
        int pending = 0;
        for (int i = 0; i < records; i++) {
            pending |= registers.get(flagWord(i)) & FAULT;
        }
        int status = registers.get(VtdRegisters.FSTS);
        registers.set(VtdRegisters.FSTS, pending != 0 ? status | PENDING : status & ~PENDING);
        withdrawIfQuiet();
    }

    private void withdrawIfQuiet() {
        if ((registers.get(VtdRegisters.FSTS) & ANY) == 0) {
            event.withdraw();
        }
    }

    /** Requests blocked for this reason, recorded or not. */
    public long faults(FaultReason reason) {
        return byReason[reason.ordinal()];
    }

    /** Faults that got a record of their own. */
    public long recorded() {
        return recorded;
    }

    /** Faults merged into a pending record of the same requester. */
    public long collapsed() {
        return collapsed;
    }

    /** Faults that FPD kept quiet. */
    public long suppressed() {
        return suppressed;
    }

    /** Faults lost because no record was free, or while PFO was set. */
    public long lost() {
        return lost;
    }
}

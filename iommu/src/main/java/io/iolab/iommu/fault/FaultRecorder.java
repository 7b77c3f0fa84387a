package io.iolab.iommu.fault;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.register.VtdRegisters;

/**
 * FSTS and the fault recording registers: where a fault goes, and when software is told (VT-d 7.2, "Fault Logging").
 *
 * <p>A requester with a fault still pending collapses its next ones into it, so that one bad device cannot fill the registers;
 * a full ring sets PFO and loses faults until software clears it.
 *
 * <p>Threading: under the unit's lock.
 */
public final class FaultRecorder {
    private static final int OVERFLOW = 1;
    private static final int PENDING = 1 << 1;
    private static final int QUEUE_ERROR = 1 << 4;
    private static final int ANY = OVERFLOW | PENDING | QUEUE_ERROR;
    private static final int INDEX = 0xFF00;
    private static final int INDEX_SHIFT = 8;

    private static final int FAULT = 1 << 31;
    private static final long READ_REQUEST = 1L << 62;
    private static final int ADDRESS_TYPE_SHIFT = 60;
    private static final int REASON_SHIFT = 32;

    private final RegisterFile registers;
    private final EventSignal event;
    private final int records;
    private final Runnable queueErrorCleared;
    private final long[] byReason = new long[FaultReason.values().length];
    private int next;
    private long recorded;
    private long collapsed;
    private long suppressed;
    private long lost;

    /** @param queueErrorCleared called when software has cleared FSTS.IQE */
    public FaultRecorder(RegisterFile registers, int records, EventSignal event, Runnable queueErrorCleared) {
        this.registers = registers;
        this.records = records;
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
     * Notes a blocked request.
     *
     * @param faultsDisabled FPD of the context entry that was in force
     * @param iova any address in the page
     * @param read whether it was a read
     * @param addressType AT of the request: 0 untranslated, 1 translation request, 2 translated
     */
    public void record(FaultReason reason, boolean faultsDisabled, int rid, long iova, boolean read, int addressType) {
        byReason[reason.ordinal()]++;
        int before = registers.get(VtdRegisters.FSTS);
        if (faultsDisabled && reason.qualified()) {
            suppressed++;
        } else if ((before & OVERFLOW) != 0) {
            lost++;
        } else if (isPending(rid)) {
            collapsed++;
        } else if ((registers.get(flagWord(next)) & FAULT) != 0) {
            lost++;
            registers.set(VtdRegisters.FSTS, before | OVERFLOW);
            signal(before);
        } else {
            recorded++;
            long high = (read ? READ_REQUEST : 0)
                    | (long) addressType << ADDRESS_TYPE_SHIFT
                    | (long) reason.code() << REASON_SHIFT
                    | rid & 0xFFFF;
            registers.set64(record(next), AddressRange.alignDown(iova, AddressRange.PAGE_SIZE));
            registers.set64(record(next) + 8, high | 1L << 63);
            if ((before & PENDING) == 0) {
                registers.set(VtdRegisters.FSTS, before & ~INDEX | next << INDEX_SHIFT | PENDING);
                signal(before);
            }
            next = next + 1 == records ? 0 : next + 1;
        }
    }

    /** The invalidation queue stopped on an error: FSTS.IQE. */
    public void queueError() {
        int before = registers.get(VtdRegisters.FSTS);
        registers.set(VtdRegisters.FSTS, before | QUEUE_ERROR);
        signal(before);
    }

    /** Whether FSTS.IQE is set, which keeps the queue from fetching. */
    public boolean queueErrorPending() {
        return (registers.get(VtdRegisters.FSTS) & QUEUE_ERROR) != 0;
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
        if ((previous & written & QUEUE_ERROR) != 0) {
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

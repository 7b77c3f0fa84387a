package io.iolab.iommu.driver;

import io.iolab.devices.memory.Memory;

/**
 * Invalidation through a queue of 256 descriptors in one frame (VT-d 6.5.2). Each command is followed by a wait that writes a status
 * dword, and a call returns when that has arrived; so the queue is empty between calls and never full.
 *
 * <p>If the unit stops on a descriptor, that slot is overwritten with a wait before the error is cleared: the queue goes on, and the
 * command that was refused is reported as what it is, a bug of ours.
 */
final class QueueInvalidator implements Invalidator {
    private static final int QUEUE_BYTES = 4096;
    private static final int DESCRIPTOR = 16;
    private static final int CONTEXT = 1;
    private static final int IOTLB = 2;
    private static final int DEVICE_TLB = 3;
    private static final int INTERRUPT_ENTRIES = 4;
    private static final int WAIT = 5;
    private static final int PAGE_GROUP_RESPONSE = 9;
    private static final int STATUS_WRITE = 1 << 5;
    private static final int PENDING = 1;
    private static final int DONE = 2;
    private static final int QUEUE_ERROR = 1 << 4;
    private static final int TIME_OUT = 1 << 6;
    private static final int POLLS = 1_000_000;
    /** Pages of the whole address space, as a power of two. */
    private static final int EVERYTHING = 52;

    private final UnitRegisters registers;
    private final Memory memory;
    private final long queueHpa;
    private final long statusHpa;
    private int tail;

    /** @param statusFrameHpa a frame whose first dword the unit will write */
    QueueInvalidator(UnitRegisters registers, Memory memory, long queueHpa, long statusFrameHpa) {
        this.registers = registers;
        this.memory = memory;
        this.queueHpa = queueHpa;
        this.statusHpa = statusFrameHpa;
    }

    /** Tail first, then address, then the enable bit. */
    void enable() {
        tail = 0;
        registers.store64(UnitRegisters.IQT, 0);
        registers.store64(UnitRegisters.IQA, queueHpa);
        registers.command(UnitRegisters.QUEUE, true);
    }

    void disable() {
        registers.command(UnitRegisters.QUEUE, false);
    }

    @Override
    public void contextGlobal() {
        submit(CONTEXT | 1 << 4, 0);
    }

    @Override
    public void contextDevice(int domain, int rid) {
        submit(CONTEXT | 3 << 4 | (long) domain << 16 | (long) rid << 32, 0);
    }

    @Override
    public void iotlbGlobal() {
        submit(IOTLB | 1 << 4, 0);
    }

    @Override
    public void iotlbDomain(int domain) {
        submit(IOTLB | 2 << 4 | (long) domain << 16, 0);
    }

    @Override
    public void iotlbPages(int domain, long iova, int addressMask, boolean leafOnly) {
        submit(IOTLB | 3 << 4 | (long) domain << 16, iova | (leafOnly ? 1 << 6 : 0) | addressMask);
    }

    @Override
    public void interruptEntries(int index, int mask) {
        submit(INTERRUPT_ENTRIES | 1 << 4 | (long) mask << 27 | (long) index << 32, 0);
    }

    @Override
    public void interruptGlobal() {
        submit(INTERRUPT_ENTRIES, 0);
    }

    /** S and the size in the address: below the block's size all ones, and a zero above them (VT-d 6.5.2.5). */
    @Override
    public boolean deviceTlb(int rid, long iova, int addressMask) {
        long block = iova >>> 12 << 12;
        if (addressMask > 0) {
            long size = addressMask >= EVERYTHING ? 0 : 1L << 12 + addressMask;
            block = size == 0 ? ~0xFFFL : block & -size | size / 2 - 4096;
        }
        return submit(DEVICE_TLB | (long) rid << 32, block | (addressMask > 0 ? 1 : 0));
    }

    /** Answers a page request group. {@code low} as in VT-d 6.5.2.7 without the type, {@code high} as there. */
    void pageGroupResponse(long low, long high) {
        submit(PAGE_GROUP_RESPONSE | low, high);
    }

    @Override
    public boolean remembersAbsence() {
        return registers.cachingMode();
    }

    /**
     * The status dword is initialised before the tail moves, or the unit's write could be lost.
     *
     * @return false if a device did not answer in time; the unit has thrown the wait away with it
     */
    private boolean submit(long low, long high) {
        memory.storeIntRelease(statusHpa, PENDING);
        put(tail, low, high);
        put(next(tail), WAIT | STATUS_WRITE | (long) DONE << 32, statusHpa);
        tail = next(next(tail));
        registers.store32(UnitRegisters.IQT, tail);
        boolean refused = false;
        for (int poll = 0; poll < POLLS; poll++) {
            if (memory.loadIntAcquire(statusHpa) == DONE) {
                if (refused) {
                    throw new IllegalStateException("remapping unit refused invalidation " + Long.toHexString(low));
                }
                return true;
            }
            if (timedOut()) {
                return false;
            }
            refused |= recover();
            Thread.onSpinWait();
        }
        throw new IllegalStateException("remapping unit does not complete invalidations");
    }

    private boolean timedOut() {
        if ((registers.load32(UnitRegisters.FSTS) & TIME_OUT) == 0) {
            return false;
        }
        registers.store32(UnitRegisters.FSTS, TIME_OUT);
        return true;
    }

    private boolean recover() {
        if ((registers.load32(UnitRegisters.FSTS) & QUEUE_ERROR) == 0) {
            return false;
        }
        int head = registers.load32(UnitRegisters.IQH);
        put(head, WAIT | STATUS_WRITE | (long) PENDING << 32, statusHpa);
        registers.store32(UnitRegisters.FSTS, QUEUE_ERROR);
        return true;
    }

    private static int next(int offset) {
        return offset + DESCRIPTOR & QUEUE_BYTES - 1;
    }

    private void put(int offset, long low, long high) {
        memory.writeLong(queueHpa + offset + 8, high);
        memory.storeLongRelease(queueHpa + offset, low);
    }
}

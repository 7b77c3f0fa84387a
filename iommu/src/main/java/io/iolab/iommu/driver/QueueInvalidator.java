package io.iolab.iommu.driver;

import io.iolab.devices.memory.Memory;

/**
 * Invalidation through a queue in one frame (VT-d 6.5.2): 256 descriptors, or 128 of the wide ones that scalable mode asks for. Each command is followed by a wait that writes a status
 * dword, and a call returns when that has arrived; so the queue is empty between calls and never full.
 *
 * <p>If the unit stops on a descriptor, that slot is overwritten with a wait before the error is cleared: the queue goes on, and the
 * command that was refused is reported as what it is, a bug of ours. If it stops because a device does not answer, the wait behind is
 * lost; the error is cleared and the command repeated, a few times.
 */
final class QueueInvalidator implements Invalidator {
    private static final int QUEUE_BYTES = 4096;
    private static final int DESCRIPTOR = 16;
    private static final int WIDE_DESCRIPTOR = 32;
    private static final long WIDE = 1 << 11;
    private static final int CONTEXT = 1;
    private static final int IOTLB = 2;
    private static final int DEVICE_TLB = 3;
    private static final int INTERRUPT_ENTRIES = 4;
    private static final int WAIT = 5;
    private static final int PASID_IOTLB = 6;
    private static final int PASID_CACHE = 7;
    private static final int PAGE_GROUP_RESPONSE = 9;
    private static final int STATUS_WRITE = 1 << 5;
    private static final int PENDING = 1;
    private static final int DONE = 2;
    private static final int QUEUE_ERROR = 1 << 4;
    private static final int TIMEOUT_ERROR = 1 << 6;
    /** Asked that often in vain, a device is taken for dead. */
    private static final int DEVICE_ATTEMPTS = 3;

    private static final int POLLS = 1_000_000;

    private final UnitRegisters registers;
    private final Memory memory;
    private final long queueHpa;
    private final long statusHpa;
    private final int step;
    private int tail;

    /** @param statusFrameHpa a frame whose first dword the unit will write */
    QueueInvalidator(UnitRegisters registers, Memory memory, long queueHpa, long statusFrameHpa, boolean wide) {
        this.registers = registers;
        this.memory = memory;
        this.queueHpa = queueHpa;
        this.statusHpa = statusFrameHpa;
        this.step = wide ? WIDE_DESCRIPTOR : DESCRIPTOR;
    }

    /** Tail first, then address, then the enable bit. */
    void enable() {
        tail = 0;
        registers.store64(UnitRegisters.IQT, 0);
        registers.store64(UnitRegisters.IQA, queueHpa | (step == WIDE_DESCRIPTOR ? WIDE : 0));
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
    public void pasid(int domain, int pasid) {
        submit(PASID_CACHE | 1 << 4 | (long) domain << 16 | (long) pasid << 32, 0);
    }

    @Override
    public void pasidGlobal() {
        submit(PASID_CACHE | 3 << 4, 0);
    }

    @Override
    public void pasidIotlb(int domain, int pasid) {
        submit(PASID_IOTLB | 2 << 4 | (long) domain << 16 | (long) pasid << 32, 0);
    }

    @Override
    public void pasidIotlbPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {
        long low = PASID_IOTLB | 3 << 4 | (long) domain << 16 | (long) pasid << 32;
        submit(low, iova | (leafOnly ? 1 << 6 : 0) | addressMask);
    }

    /** S=1 puts the size into the address: one page bit fewer than the mask says, all ones, with a zero above. */
    @Override
    public boolean deviceTlb(int rid, long iova, int addressMask) {
        long high = iova;
        if (addressMask > 0) {
            long block = 1L << addressMask - 1;
            high = (iova >>> 12 & -2 * block | block - 1) << 12 | 1;
        }
        for (int attempt = 0; attempt < DEVICE_ATTEMPTS; attempt++) {
            if (trySubmit(DEVICE_TLB | (long) rid << 32, high)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void interruptEntries(int index, int mask) {
        submit(INTERRUPT_ENTRIES | 1 << 4 | (long) mask << 27 | (long) index << 32, 0);
    }

    @Override
    public void interruptGlobal() {
        submit(INTERRUPT_ENTRIES, 0);
    }

    @Override
    public boolean remembersAbsence() {
        return registers.cachingMode();
    }

    /**
     * Answers a page request group (VT-d 7.7).
     *
     * @param pasid 20 bits, or -1 for none
     * @param code 0 success, 1 invalid request, 15 failure
     */
    void pageGroupResponse(int rid, int pasid, int group, int code) {
        long named = pasid < 0 ? 0 : 1 << 4 | (long) pasid << 32;
        submit(PAGE_GROUP_RESPONSE | named | (long) code << 12 | (long) rid << 16, (long) group << 3 | 1 << 2);
    }

    private void submit(long low, long high) {
        if (!trySubmit(low, high)) {
            throw new IllegalStateException("remapping unit waits for a device that it was not asked about");
        }
    }

    /**
     * The status dword is initialised before the tail moves, or the unit's write could be lost.
     *
     * @return false if a device did not answer
     */
    private boolean trySubmit(long low, long high) {
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
            if ((registers.load32(UnitRegisters.FSTS) & TIMEOUT_ERROR) != 0) {
                registers.store32(UnitRegisters.FSTS, TIMEOUT_ERROR);
                return false;
            }
            refused |= recover();
            Thread.onSpinWait();
        }
        throw new IllegalStateException("remapping unit does not complete invalidations");
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

    private int next(int offset) {
        return offset + step & QUEUE_BYTES - 1;
    }

    private void put(int offset, long low, long high) {
        memory.writeLong(queueHpa + offset + 8, high);
        if (step == WIDE_DESCRIPTOR) {
            memory.writeLong(queueHpa + offset + 16, 0);
            memory.writeLong(queueHpa + offset + 24, 0);
        }
        memory.storeLongRelease(queueHpa + offset, low);
    }
}

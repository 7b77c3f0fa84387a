package io.iolab.scenarios.attack;

import io.iolab.iommu.register.VtdRegisters;

/** The invalidation queue as host software sees it that is less careful than the driver: descriptors and registers. */
final class RawQueue {
    /** A type that does not exist. */
    static final long INVALID_TYPE = 0xF;

    /** Global invalidation of the IOTLB (VT-d 6.5.2.3). */
    static final long IOTLB_GLOBAL = 2 | 1 << 4;

    private static final int DESCRIPTOR = 16;
    private static final int QUEUE_BYTES = 4096;
    private static final int QUEUE_ERROR = 1 << 4;
    private static final long WAIT_WITH_STATUS = 5 | 1 << 5;
    private static final int DONE = 1;

    private final AttackedHost host;
    private final long queueHpa;
    private final long statusHpa;

    RawQueue(AttackedHost host) {
        this.host = host;
        queueHpa = host.load64(VtdRegisters.IQA) & ~0xFFFL;
        statusHpa = host.region("status of invalidation waits", 1).hpa();
        host.memory.writeInt(statusHpa, 0);
    }

    void submit(long low, long high) {
        int tail = host.load32(VtdRegisters.IQT);
        put(tail, low, high);
        host.store32(VtdRegisters.IQT, tail + DESCRIPTOR & QUEUE_BYTES - 1);
    }

    private void put(int at, long low, long high) {
        host.memory.writeLong(queueHpa + at + 8, high);
        host.memory.storeLongRelease(queueHpa + at, low);
    }

    boolean stopped() {
        return (host.load32(VtdRegisters.FSTS) & QUEUE_ERROR) != 0;
    }

    boolean pending() {
        return host.load32(VtdRegisters.IQH) != host.load32(VtdRegisters.IQT);
    }

    /** Submits a wait. @return whether its status has been written */
    boolean submitWait() {
        submit(WAIT_WITH_STATUS | (long) DONE << 32, statusHpa);
        return waitDone();
    }

    boolean waitDone() {
        return host.memory.loadIntAcquire(statusHpa) == DONE;
    }

    /** Puts a good descriptor where the queue has stopped, and clears the error. */
    void replaceHead(long low) {
        put(host.load32(VtdRegisters.IQH), low, 0);
        host.store32(VtdRegisters.FSTS, QUEUE_ERROR);
    }
}

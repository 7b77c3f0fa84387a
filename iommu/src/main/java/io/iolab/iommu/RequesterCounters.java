package io.iolab.iommu;

import io.iolab.iommu.fault.FaultReason;

/**
 * What the unit did for one requester since it was built. A request that crosses pages counts once for each page.
 *
 * <p>Threading: written by the thread that runs the requester; others read values that may lag.
 */
public final class RequesterCounters {
    long iotlbHits;
    long iotlbMisses;
    long contextHits;
    long contextMisses;
    long pasidHits;
    long pasidMisses;
    long walkAccesses;
    long requests;
    long bytesRead;
    long bytesWritten;
    long blocked;
    long unbacked;
    long messages;
    private final long[] faults = new long[FaultReason.values().length];

    RequesterCounters() {}

    void fault(FaultReason reason) {
        blocked++;
        faults[reason.ordinal()]++;
    }

    /** Translations found in the IOTLB, denied ones included; none is looked for on a pass-through requester. */
    public long iotlbHits() {
        return iotlbHits;
    }

    public long iotlbMisses() {
        return iotlbMisses;
    }

    public long contextHits() {
        return contextHits;
    }

    public long contextMisses() {
        return contextMisses;
    }

    /** PASID entries found in their cache; none is looked for in legacy mode. */
    public long pasidHits() {
        return pasidHits;
    }

    public long pasidMisses() {
        return pasidMisses;
    }

    /** Table entries read from memory on behalf of this requester, root and context entries included. */
    public long walkAccesses() {
        return walkAccesses;
    }

    /** Page requests that the unit translated or passed through, while translation was on. */
    public long requests() {
        return requests;
    }

    /** Bytes that these requests moved out of memory. */
    public long bytesRead() {
        return bytesRead;
    }

    /** Bytes that these requests moved into memory. */
    public long bytesWritten() {
        return bytesWritten;
    }

    /** Page requests blocked with a fault. */
    public long blocked() {
        return blocked;
    }

    /** Page requests whose translation led to an address that no memory backs. */
    public long unbacked() {
        return unbacked;
    }

    /** Interrupt messages, translation on or off. */
    public long messages() {
        return messages;
    }

    /** Page requests blocked for this reason, recorded in a fault record or not. */
    public long faults(FaultReason reason) {
        return faults[reason.ordinal()];
    }
}

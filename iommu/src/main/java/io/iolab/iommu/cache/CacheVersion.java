package io.iolab.iommu.cache;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A sequence lock over the unit's caches: odd while they change, and a new even number after. A reader notes the version, looks
 * up without a lock, and believes what it saw only if the version still stands. It is also what invalidates the copies of single
 * translations that requesters keep: a copy is good as long as no cache has changed at all.
 *
 * <p>Threading: {@link #current} from any thread; changes under the unit's lock.
 */
public final class CacheVersion {
    private final AtomicLong version = new AtomicLong();

    /** Loads after this one in program order are not performed before it. */
    public long current() {
        return version.getAcquire();
    }

    /** Whether what was loaded since {@link #current} gave {@code seen} is consistent. */
    public boolean holds(long seen) {
        java.lang.invoke.VarHandle.acquireFence();
        return (seen & 1) == 0 && version.getOpaque() == seen;
    }

    void beginChange() {
        version.setOpaque(version.getPlain() + 1);
        java.lang.invoke.VarHandle.storeStoreFence();
    }

    void endChange() {
        version.setRelease(version.getPlain() + 1);
    }
}

package io.iolab.iommu.cache;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A sequence lock over the unit's caches: odd while they change, and a new even number after. A reader notes the version, looks
 * up without a lock, and believes what it saw only if the version still stands. It is also what invalidates the copies of single
 * translations that requesters keep: a copy is good as long as no cache has changed at all.
 *
 * <p>A walk without the unit's lock ends the same way: {@link #tryBeginChange} takes the lock for its fill only if nothing has
 * changed since the walk began, so that a walk that an invalidation overtook leaves nothing behind.
 *
 * <p>A second number, {@link #bindings}, changes with context and PASID cache alone: what a requester has decoded of its entries
 * stays good through the fills of an IOTLB.
 *
 * <p>Threading: any thread. Changes exclude each other by the version itself.
 */
public final class CacheVersion {
    private static final VarHandle VERSION;

    static {
        try {
            VERSION = MethodHandles.lookup().findVarHandle(CacheVersion.class, "version", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // through the handle
    private long version;

    private volatile long bindings;

    /** Loads after this one in program order are not performed before it. */
    public long current() {
        return (long) VERSION.getAcquire(this);
    }

    /** Whether what was loaded since {@link #current} gave {@code seen} is consistent. */
    public boolean holds(long seen) {
        VarHandle.acquireFence();
        return (seen & 1) == 0 && (long) VERSION.getOpaque(this) == seen;
    }

    /** Changes with every change of the context and PASID caches. To be believed under {@link #holds}. */
    public long bindings() {
        return bindings;
    }

    /**
     * Begins a change if nothing has changed since {@link #current} gave {@code seen}.
     *
     * @return whether it began; {@link #endChange} must follow if so
     */
    public boolean tryBeginChange(long seen) {
        return (seen & 1) == 0 && VERSION.compareAndSet(this, seen, seen + 1);
    }

    /** Begins a change, after any other has ended. */
    public void beginChange() {
        while (!tryBeginChange(current())) {
            Thread.onSpinWait();
        }
    }

    @SuppressWarnings({"NonAtomicOperationOnVolatileField", "NonAtomicVolatileUpdate"
    }) // only within a change, which excludes others
    void bindingsChange() {
        bindings = bindings + 1;
    }

    /** @return the new version */
    public long endChange() {
        long next = version + 1;
        VERSION.setRelease(this, next);
        return next;
    }
}

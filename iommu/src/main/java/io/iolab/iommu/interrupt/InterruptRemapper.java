package io.iolab.iommu.interrupt;

import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.CacheVersion;
import io.iolab.iommu.cache.InterruptEntryCache;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.fault.FaultRecorder;
import io.iolab.iommu.register.Capabilities;
import org.jspecify.annotations.Nullable;

/**
 * The interrupt half of a remapping unit: its state as the global commands set it, its table in host memory and the cache in front of
 * that (VT-d 5.1.4, 6.4). Messages come through an {@link InterruptPort} for each requester.
 *
 * <p>Threading: commands and invalidations under the unit's lock; ports from any thread.
 */
public final class InterruptRemapper {
    /** Reads of an entry that changes meanwhile, before it is taken as it is. */
    private static final int READS = 4;

    final Memory memory;
    final MessagePort processors;
    private final Object lock;
    private final Capabilities capabilities;
    private final FaultRecorder faults;
    private final InterruptEntryCache cache;
    private final CacheVersion version;

    private volatile InterruptMode mode = InterruptMode.OFF;
    private long fetchedLow;
    private long fetchedHigh;

    /**
     * @param lock the unit's
     * @param processors takes what comes out: messages in the form that the processors' interrupt controllers take
     */
    public InterruptRemapper(
            Object lock,
            Capabilities capabilities,
            Memory memory,
            MessagePort processors,
            FaultRecorder faults,
            InterruptEntryCache cache) {
        this.lock = lock;
        this.capabilities = capabilities;
        this.memory = memory;
        this.processors = processors;
        this.faults = faults;
        this.cache = cache;
        this.version = cache.version();
    }

    InterruptMode mode() {
        return mode;
    }

    /** GCMD.IRE. */
    public void enable(boolean on) {
        mode = mode.enabled(on);
    }

    /** GCMD.CFI. */
    public void allowCompatibility(boolean on) {
        mode = mode.compatibility(on);
    }

    /** GCMD.SIRTP: takes the table over from IRTA. What is cached stays, unless the unit says otherwise (CAP.ESIRTPS). */
    public void latchTable(long irta) {
        mode = mode.table(irta);
        if (capabilities.setInterruptTableFlushes()) {
            cache.invalidateAll();
        }
    }

    /** The way of one requester's messages. The caller keeps it: each has counters of its own. */
    public InterruptPort port(int rid) {
        return new InterruptPort(rid, this);
    }

    /**
     * Finds the entry of an index for a port, which leaves its two words in the port.
     *
     * @return null, or why there is none
     */
    @Nullable
    FaultReason find(InterruptPort port, int index) {
        long seen = version.current();
        int slot = cache.find(index);
        if (slot >= 0) {
            long low = cache.low(slot);
            long high = cache.high(slot);
            if (version.holds(seen) && InterruptEntry.present(low)) {
                port.hit(low, high);
                return null;
            }
        }
        synchronized (lock) {
            boolean cached = cache.find(index) >= 0;
            FaultReason reason = fetch(index);
            if (cached) {
                port.hit(fetchedLow, fetchedHigh);
            } else {
                port.miss(fetchedLow, fetchedHigh);
            }
            return reason;
        }
    }

    /** By the table that is in force now: one that a command has replaced since must not get into the cache. */
    private @Nullable FaultReason fetch(int index) {
        InterruptMode current = mode;
        int slot = cache.find(index);
        if (slot >= 0) {
            fetchedLow = cache.low(slot);
            fetchedHigh = cache.high(slot);
            return InterruptEntry.present(fetchedLow) ? null : FaultReason.INTERRUPT_ENTRY_NOT_PRESENT;
        }
        fetchedLow = 0;
        fetchedHigh = 0;
        if (index >= current.entries()) {
            return FaultReason.INDEX_BEYOND_TABLE;
        }
        long entryHpa = InterruptEntry.hpa(current.tableHpa(), index);
        if (!memory.contains(entryHpa, InterruptEntry.BYTES)) {
            return FaultReason.INTERRUPT_TABLE_UNREADABLE;
        }
        load(entryHpa);
        if (!InterruptEntry.present(fetchedLow)) {
            if (capabilities.cachingMode()) {
                cache.fill(index, fetchedLow, fetchedHigh);
            }
            return FaultReason.INTERRUPT_ENTRY_NOT_PRESENT;
        }
        if (InterruptEntry.reservedSet(fetchedLow, fetchedHigh, current.extended(), capabilities.postedInterrupts())) {
            return FaultReason.INTERRUPT_ENTRY_RESERVED;
        }
        cache.fill(index, fetchedLow, fetchedHigh);
        return null;
    }

    /** A unit reads 16 bytes at once. Software that clears P before it changes the rest never shows half of an entry here. */
    private void load(long entryHpa) {
        for (int read = 0; read < READS; read++) {
            fetchedLow = memory.loadLongAcquire(entryHpa);
            fetchedHigh = memory.loadLongAcquire(entryHpa + 8);
            if (memory.loadLongAcquire(entryHpa) == fetchedLow) {
                return;
            }
        }
    }

    void blocked(FaultReason reason, boolean faultsDisabled, int rid, int index) {
        synchronized (lock) {
            faults.interrupt(reason, faultsDisabled, rid, index);
        }
    }
}

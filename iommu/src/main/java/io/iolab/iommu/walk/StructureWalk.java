package io.iolab.iommu.walk;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.table.PasidDirectoryEntry;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.iommu.table.RootEntry;
import io.iolab.iommu.table.ScalableContextEntry;
import io.iolab.iommu.table.ScalableRootEntry;
import org.jspecify.annotations.Nullable;

/**
 * The walk from a requester to what says how its addresses are translated (VT-d 3.4, 9.1 to 9.6): a legacy context entry, or a
 * scalable one and a PASID table entry. A function of memory: nothing is remembered but the words that were fetched last.
 *
 * <p>Of an entry that is wrong in several ways the first of these wins: readable, present, reserved bits, fields that the unit does
 * not offer.
 *
 * <p>Threading: under the unit's lock.
 */
public final class StructureWalk {
    private static final long FAULTS_DISABLED = 2;

    private final Memory memory;
    private final Capabilities capabilities;
    private final long[] words = new long[PasidEntry.WORDS];
    private long accesses;
    private long contextLow;
    private long contextHigh;

    /** @param memory host physical memory, where every table lives */
    public StructureWalk(Memory memory, Capabilities capabilities) {
        this.memory = memory;
        this.capabilities = capabilities;
    }

    /**
     * Fetches the legacy context entry of a requester: {@link #contextLow}, {@link #contextHigh}. Both are 0 when the fault came
     * earlier.
     *
     * @param rootTableHpa page-aligned
     * @return null, or why there is no usable entry
     */
    public @Nullable FaultReason context(long rootTableHpa, int rid) {
        contextLow = 0;
        contextHigh = 0;
        long rootHpa = RootEntry.hpa(rootTableHpa, RequesterId.bus(rid));
        accesses++;
        if (!memory.contains(rootHpa, RootEntry.BYTES)) {
            return FaultReason.ROOT_UNREADABLE;
        }
        long rootLow = memory.loadLongAcquire(rootHpa);
        if (!RootEntry.present(rootLow)) {
            return FaultReason.ROOT_NOT_PRESENT;
        }
        if (RootEntry.reservedSet(rootLow, memory.readLong(rootHpa + 8), capabilities)) {
            return FaultReason.ROOT_RESERVED;
        }
        return contextEntry(ContextEntry.hpa(RootEntry.contextTable(rootLow, capabilities), RequesterId.devfn(rid)));
    }

    private @Nullable FaultReason contextEntry(long entryHpa) {
        accesses++;
        if (!memory.contains(entryHpa, ContextEntry.BYTES)) {
            return FaultReason.CONTEXT_UNREADABLE;
        }
        contextLow = memory.loadLongAcquire(entryHpa);
        if (!ContextEntry.present(contextLow)) {
            return FaultReason.CONTEXT_NOT_PRESENT;
        }
        contextHigh = memory.readLong(entryHpa + 8);
        if (ContextEntry.reservedSet(contextLow, contextHigh, capabilities)) {
            return FaultReason.CONTEXT_RESERVED;
        }
        return ContextEntry.valid(contextLow, contextHigh, capabilities) ? null : FaultReason.CONTEXT_INVALID;
    }

    /** As {@link #context}, in scalable mode: qwords 0 and 1 of the entry. */
    public @Nullable FaultReason scalableContext(long rootTableHpa, int rid) {
        contextLow = 0;
        contextHigh = 0;
        long rootHpa = ScalableRootEntry.halfHpa(rootTableHpa, rid);
        accesses++;
        if (!memory.contains(rootHpa, 8)) {
            return FaultReason.SCALABLE_ROOT_UNREADABLE;
        }
        long half = memory.loadLongAcquire(rootHpa);
        if (!ScalableRootEntry.present(half)) {
            return FaultReason.SCALABLE_ROOT_NOT_PRESENT;
        }
        if (ScalableRootEntry.reservedSet(half, capabilities)) {
            return FaultReason.SCALABLE_ROOT_RESERVED;
        }
        return scalableEntry(ScalableContextEntry.hpa(ScalableRootEntry.contextTable(half, capabilities), rid));
    }

    private @Nullable FaultReason scalableEntry(long entryHpa) {
        accesses++;
        if (!memory.contains(entryHpa, ScalableContextEntry.BYTES)) {
            return FaultReason.SCALABLE_CONTEXT_UNREADABLE;
        }
        contextLow = memory.loadLongAcquire(entryHpa);
        if (!ScalableContextEntry.present(contextLow)) {
            return FaultReason.SCALABLE_CONTEXT_NOT_PRESENT;
        }
        contextHigh = memory.readLong(entryHpa + 8);
        if (ScalableContextEntry.reservedSet(contextLow, contextHigh, capabilities)
                || memory.readLong(entryHpa + 16) != 0
                || memory.readLong(entryHpa + 24) != 0) {
            return FaultReason.SCALABLE_CONTEXT_RESERVED;
        }
        return ScalableContextEntry.valid(contextLow) ? null : FaultReason.SCALABLE_CONTEXT_INVALID;
    }

    /**
     * Fetches the PASID table entry behind a scalable context entry: {@link #pasidWord}. FPD of the directory entry is added to
     * word 0, since it silences the same faults.
     *
     * @param scalableContextLow qword 0 of a valid context entry
     * @param pasid below the limit of its directory
     */
    public @Nullable FaultReason pasid(long scalableContextLow, int pasid) {
        java.util.Arrays.fill(words, 0);
        long directoryHpa = ScalableContextEntry.directory(scalableContextLow, capabilities);
        long directoryEntryHpa = PasidDirectoryEntry.hpa(directoryHpa, pasid);
        accesses++;
        if (!memory.contains(directoryEntryHpa, PasidDirectoryEntry.BYTES)) {
            return FaultReason.PASID_DIRECTORY_UNREADABLE;
        }
        long directoryEntry = memory.loadLongAcquire(directoryEntryHpa);
        words[0] = directoryEntry & FAULTS_DISABLED;
        if (!PasidDirectoryEntry.present(directoryEntry)) {
            return FaultReason.PASID_DIRECTORY_NOT_PRESENT;
        }
        if (PasidDirectoryEntry.reservedSet(directoryEntry, capabilities)) {
            return FaultReason.PASID_DIRECTORY_RESERVED;
        }
        return pasidEntry(PasidEntry.hpa(PasidDirectoryEntry.table(directoryEntry, capabilities), pasid));
    }

    private @Nullable FaultReason pasidEntry(long entryHpa) {
        accesses++;
        if (!memory.contains(entryHpa, PasidEntry.BYTES)) {
            return FaultReason.PASID_ENTRY_UNREADABLE;
        }
        words[0] = memory.loadLongAcquire(entryHpa) | words[0] & FAULTS_DISABLED;
        if (!PasidEntry.present(words[0])) {
            return FaultReason.PASID_ENTRY_NOT_PRESENT;
        }
        long mustBeZero = 0;
        for (int i = 1; i < PasidEntry.WORDS; i++) {
            words[i] = memory.readLong(entryHpa + 8L * i);
            mustBeZero |= i >= 3 ? words[i] : 0;
        }
        if (mustBeZero != 0 || PasidEntry.reservedSet(words[0], words[1], words[2], capabilities)) {
            return FaultReason.PASID_ENTRY_RESERVED;
        }
        return PasidEntry.valid(words[0], words[2], capabilities) ? null : FaultReason.PASID_ENTRY_INVALID;
    }

    /** Entries of tables read so far, failed reads included: one for each entry of any size. */
    public long accesses() {
        return accesses;
    }

    /** The low word of a legacy context entry, qword 0 of a scalable one. */
    public long contextLow() {
        return contextLow;
    }

    public long contextHigh() {
        return contextHigh;
    }

    /** @param index 0 to 2 */
    public long pasidWord(int index) {
        return words[index];
    }
}

package io.iolab.iommu.walk;

import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.cache.PagingStructureCache;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The walk from an address to a host page, by what an {@link AddressSpace} says: second-level, first-level or nested tables
 * (VT-d 3.6 to 3.8). Nothing is remembered between calls but in the paging-structure caches, which are read here and filled by
 * {@link #fillTables} when the caller knows that no invalidation has overtaken the walk.
 *
 * <p>The order of checks is the order in which faults win when tables are wrong in several ways; each of the two walks below states
 * its own. Last comes the result, which must not lie in the interrupt range.
 *
 * <p>An instance is a cursor: the outcome of the last call stays in it until the next, so that a walk allocates nothing.
 *
 * <p>Threading: one thread at a time. Requesters have one each, so that walks run beside each other without a lock.
 */
public final class PageWalk {
    private final TableTrail trail;
    private final SecondLevelWalk second;
    private final FirstLevelWalk first;
    private long found;
    private @Nullable FaultReason reason;
    private boolean notPresent;

    /**
     * @param memory host physical memory, where every table lives
     * @param tables where walks begin, looked up without a lock
     */
    public PageWalk(Memory memory, Capabilities capabilities, PagingStructureCache tables) {
        trail = new TableTrail(tables);
        second = new SecondLevelWalk(memory, capabilities, tables, trail);
        first = new FirstLevelWalk(memory, capabilities, tables, trail, second);
    }

    /**
     * Walks for one address. On a fault {@link #reason} says why and {@link #notPresent} tells a page that the second level
     * lacks from a denied one.
     *
     * @param in not pass-through, and covering {@code iova}
     * @param needs {@link Iotlb#READ} or a write mark of {@link Iotlb}, or both; one of them is enough
     * @param write whether a page that may be written will be
     * @return what the IOTLB may keep, or 0 on a fault
     */
    public long page(AddressSpace in, long iova, long needs, boolean write) {
        begin();
        long entry = common(in, iova, needs, write);
        // Nothing that the caller loads next comes before what the walk has loaded.
        VarHandle.acquireFence();
        if (entry != 0) {
            return entry;
        }
        begin();
        reason = walk(in, iova, needs, write);
        return reason == null ? found : 0;
    }

    private void begin() {
        trail.begin();
        second.begin();
        first.begin();
    }

    private long common(AddressSpace in, long iova, long needs, boolean write) {
        long entry;
        if (in.kind() == AddressSpace.Kind.SECOND_LEVEL) {
            entry = second.common(in, iova, FirstLevelWalk.secondNeeds(needs), write);
            if (entry == 0) {
                return 0;
            }
            entry |= Iotlb.UNRESTRICTED | in.pageMarks() | ((entry & Iotlb.WRITE) != 0 ? Iotlb.SUPERVISOR_WRITE : 0);
        } else {
            entry = first.common(in, iova, needs, write);
        }
        long hpa = Iotlb.frameHpa(entry);
        boolean interrupts = Iotlb.isSmall(entry)
                ? MessagePort.claims(hpa)
                : hpa >>> Iotlb.pageShift(entry) == MessagePort.BASE >>> Iotlb.pageShift(entry);
        return interrupts ? 0 : entry;
    }

    private @Nullable FaultReason walk(AddressSpace in, long iova, long needs, boolean write) {
        notPresent = false;
        if (in.kind() != AddressSpace.Kind.SECOND_LEVEL) {
            FaultReason denied = first.walk(in, iova, needs, write);
            notPresent = denied != null && first.notPresent();
            return denied != null ? denied : found(in, iova, first.pageShift(), first.frameHpa(), first.marks());
        }
        SecondLevelUse use = in.isScalable() ? SecondLevelUse.SCALABLE : SecondLevelUse.LEGACY;
        FaultReason denied = second.walk(in, iova, FirstLevelWalk.secondNeeds(needs), write, use);
        if (denied != null) {
            notPresent = second.notPresent();
            return denied;
        }
        long marks = second.marks() | Iotlb.UNRESTRICTED | in.pageMarks();
        marks |= (marks & Iotlb.WRITE) != 0 ? Iotlb.SUPERVISOR_WRITE : 0;
        return found(in, iova, second.pageShift(), second.frameHpa(), marks);
    }

    /**
     * A large page that overlaps the interrupt range is handed out in 4 KiB pieces, so that nobody who caches one has to check
     * again.
     */
    private @Nullable FaultReason found(AddressSpace in, long iova, int shift, long baseHpa, long marks) {
        if (baseHpa >>> shift == MessagePort.BASE >>> shift) {
            long offset = iova & (1L << shift) - 1;
            if (MessagePort.claims(baseHpa + offset)) {
                return in.isScalable() ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.INTERRUPT_RANGE;
            }
            found = Iotlb.entry(12, baseHpa + (offset & ~0xFFFL), marks);
        } else if (shift < 20 && MessagePort.claims(baseHpa)) {
            return in.isScalable() ? FaultReason.SCALABLE_INTERRUPT_RANGE : FaultReason.INTERRUPT_RANGE;
        } else {
            found = Iotlb.entry(shift, baseHpa, marks);
        }
        return null;
    }

    /** Enters the tables that the last walk came through. Within a change of the caches' version. */
    public void fillTables() {
        trail.fill();
    }

    /** Entries of page tables read by the last walk, failed reads included. */
    public long accesses() {
        return second.accesses() + first.accesses();
    }

    /** What the first level grants of a page, as marks without READ and WRITE, after {@link FaultReason#NESTED_DENIED}. */
    public long grantedByFirstLevel() {
        return first.marks();
    }

    /** Why the last walk found nothing. */
    public @Nullable FaultReason reason() {
        return reason;
    }

    /** Whether the last fault came from a second-level entry that is not present: what caching mode may remember. */
    public boolean notPresent() {
        return notPresent;
    }
}

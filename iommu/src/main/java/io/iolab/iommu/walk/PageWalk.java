package io.iolab.iommu.walk;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.table.RootEntry;
import io.iolab.iommu.table.SecondLevelEntry;
import org.jspecify.annotations.Nullable;

/**
 * The legacy-mode walk from a requester id and an address to a host page (VT-d 3.4 and 3.7), as a function of memory: nothing is
 * remembered between calls, so what it finds is what the tables say now. Caching is somebody else's job.
 *
 * <p>It runs in two halves because hardware caches them apart. {@link #context} goes from the requester to its context entry;
 * {@link #page} goes from the context entry through the second-level table. The order of checks is the order in which faults win
 * when an entry is wrong in several ways:
 *
 * <ol>
 *   <li>root entry: readable (8), present (1), reserved bits (A)
 *   <li>context entry: readable (9), present (2), reserved bits (B), type and width offered (3)
 *   <li>request: a kind that TT allows (D), address within the width (4)
 *   <li>each level: readable (3 at the top, since it is SLPTPTR that is wrong; 7 below), right not denied (5, 6), reserved bits (C)
 *   <li>result: not in the interrupt range (E)
 * </ol>
 *
 * <p>Rights are tested before reserved bits: an entry that is not present, all its bits free for software's use, must report 5 or
 * 6. The right to a page is the intersection over all levels.
 *
 * <p>An instance is a cursor: the outcome of the last call stays in it until the next, so that a walk allocates nothing.
 *
 * <p>Threading: under the unit's lock.
 */
public final class PageWalk {
    /** A mask of rights that suffices for a request; one of them is enough. */
    public static final int NEEDS_READ = SecondLevelEntry.READ;

    public static final int NEEDS_WRITE = SecondLevelEntry.WRITE;

    /** A zero-length read where CAP.ZLR lets it through write-only pages. */
    public static final int NEEDS_ANY = SecondLevelEntry.READ | SecondLevelEntry.WRITE;

    private final Memory memory;
    private final Capabilities capabilities;
    private long accesses;
    private long contextLow;
    private long contextHigh;
    private long frameHpa;
    private int pageShift;
    private int rights;
    private boolean notPresent;

    /** @param memory host physical memory, where every table lives */
    public PageWalk(Memory memory, Capabilities capabilities) {
        this.memory = memory;
        this.capabilities = capabilities;
    }

    /**
     * Fetches the context entry of a requester: {@link #contextLow}, {@link #contextHigh}. Both are 0 when the fault came earlier.
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

    /**
     * Checks of a request against its context entry that do not depend on any page table.
     *
     * @return null, or why the request is blocked
     */
    public @Nullable FaultReason request(long low, long high, long iova, RequestType type) {
        int translation = ContextEntry.translationType(low);
        if (type != RequestType.UNTRANSLATED && translation != ContextEntry.TYPE_DEVICE_TLB) {
            return FaultReason.REQUEST_TYPE_BLOCKED;
        }
        int width = capabilities.guestAddressWidth();
        if (translation != ContextEntry.TYPE_PASS_THROUGH) {
            width = Math.min(width, ContextEntry.addressWidth(high));
        }
        return width < 64 && iova >>> width != 0 ? FaultReason.ADDRESS_BEYOND_WIDTH : null;
    }

    /**
     * Walks the second-level table of a valid context entry whose TT is not pass-through. On success {@link #frameHpa},
     * {@link #pageShift} and {@link #rights} hold the page; on a fault {@link #notPresent} tells an absent entry from a denied one.
     *
     * @param iova within the width of the entry
     * @param needs {@link #NEEDS_READ}, {@link #NEEDS_WRITE} or {@link #NEEDS_ANY}
     */
    public @Nullable FaultReason page(long low, long high, long iova, int needs) {
        rights = SecondLevelEntry.READ | SecondLevelEntry.WRITE;
        notPresent = false;
        int top = ContextEntry.levels(high);
        long tableHpa = ContextEntry.pageTable(low, capabilities);
        for (int level = top; ; level--) {
            long entryHpa = SecondLevelEntry.hpa(tableHpa, iova, level);
            accesses++;
            if (!memory.contains(entryHpa, SecondLevelEntry.BYTES)) {
                return level == top ? FaultReason.CONTEXT_INVALID : FaultReason.TABLE_UNREADABLE;
            }
            long entry = memory.loadLongAcquire(entryHpa);
            rights &= SecondLevelEntry.rights(entry);
            if ((rights & needs) == 0) {
                notPresent = SecondLevelEntry.rights(entry) == 0;
                return needs == NEEDS_WRITE ? FaultReason.WRITE_DENIED : FaultReason.READ_DENIED;
            }
            if (SecondLevelEntry.reservedSet(entry, level, capabilities)) {
                return FaultReason.PAGE_ENTRY_RESERVED;
            }
            if (SecondLevelEntry.leaf(entry, level)) {
                return leaf(SecondLevelEntry.address(entry), SecondLevelEntry.shift(level), iova);
            }
            tableHpa = SecondLevelEntry.address(entry);
        }
    }

    /**
     * A large page that overlaps the interrupt range is handed out in 4 KiB pieces, so that nobody who caches one has to check
     * again.
     */
    private @Nullable FaultReason leaf(long baseHpa, int shift, long iova) {
        long offset = iova & (1L << shift) - 1;
        if (MessagePort.claims(baseHpa + offset)) {
            return FaultReason.INTERRUPT_RANGE;
        }
        boolean overlaps = baseHpa >>> shift == MessagePort.BASE >>> shift;
        pageShift = overlaps ? 12 : shift;
        frameHpa = overlaps ? baseHpa + (offset & ~0xFFFL) : baseHpa;
        return null;
    }

    /** Entries of tables read so far, failed reads included: one for a root or context entry, one for each level. */
    public long accesses() {
        return accesses;
    }

    public long contextLow() {
        return contextLow;
    }

    public long contextHigh() {
        return contextHigh;
    }

    /** First byte of the page that was found. */
    public long frameHpa() {
        return frameHpa;
    }

    /** 12, 21 or 30. */
    public int pageShift() {
        return pageShift;
    }

    /** {@link SecondLevelEntry#READ} and {@link SecondLevelEntry#WRITE}, as all levels allow. */
    public int rights() {
        return rights;
    }

    /** Whether the last denial came from an entry without any right. */
    public boolean notPresent() {
        return notPresent;
    }
}

package io.iolab.iommu.walk;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.cache.PagingStructureCache;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.SecondLevelEntry;
import org.jspecify.annotations.Nullable;

/**
 * The walk through a second-level table (VT-d 3.7, 9.8), from the lowest table that the paging-structure caches know.
 *
 * <p>At each level: readable, right not denied, reserved bits. Rights are tested before reserved bits: an entry that is not present,
 * all its bits free for software's use, must report the denial. The right to a page is the intersection over all levels.
 *
 * <p>Accessed and dirty bits are set when the walk has succeeded, from the top down, each with one compare-and-set that fails if
 * software has changed the entry meanwhile.
 *
 * <p>Threading: the thread that runs the requester, or any under the unit's lock.
 */
final class SecondLevelWalk {
    private static final long RIGHTS = Iotlb.READ | Iotlb.WRITE;
    private static final int LEAF = 8;
    private static final int SNOOP_SHIFT = 7;
    private static final int MAXIMUM_LEVELS = 5;

    private final Memory memory;
    private final PagingStructureCache tables;
    private final boolean remembers;
    private final TableTrail trail;
    /** Reserved bits by level; those of leaves from {@link #LEAF} on. */
    private final long[] reserved = new long[2 * LEAF];

    /** Bits with which an entry is no ordinary table: reserved ones, and PS. The same at every level. */
    private final long stops;

    /** Reserved bits of an entry that maps 4 KiB. */
    private final long reservedSmall;

    private final long[] visitedHpa = new long[MAXIMUM_LEVELS];
    private final long[] visited = new long[MAXIMUM_LEVELS];
    private long accesses;
    private long frameHpa;
    private int pageShift;
    private long marks;
    private boolean notPresent;

    SecondLevelWalk(Memory memory, Capabilities capabilities, PagingStructureCache tables, TableTrail trail) {
        this.memory = memory;
        this.tables = tables;
        this.remembers = tables.present();
        this.trail = trail;
        for (int level = 1; level <= MAXIMUM_LEVELS; level++) {
            reserved[level] = SecondLevelEntry.reserved(level, false, capabilities);
            reserved[level + LEAF] = SecondLevelEntry.reserved(level, true, capabilities);
        }
        stops = reserved[MAXIMUM_LEVELS] | SecondLevelEntry.PAGE_SIZE_BIT;
        reservedSmall = reserved[1 + LEAF];
    }

    /**
     * The walk of a request that meets no obstacle and has no bit to set: nothing but loads and one test for each table. It says
     * nothing of what stopped it, which {@link #walk} finds out from the start.
     *
     * <p>Loads are plain: each address comes out of the load before, and no processor performs a load before its address is known.
     * The caller's fence orders what follows.
     *
     * @param address within the width of the table
     * @param needs {@link Iotlb#READ}, {@link Iotlb#WRITE}; one of them is enough
     * @param write whether the page will be written, so that its dirty bit must be set
     * @return the page as an entry of the IOTLB with READ, WRITE, SNOOP and CLEAN; or 0
     */
    long common(AddressSpace in, long address, long needs, boolean write) {
        return remembers
                ? fromKnown(in, address, needs, write)
                : from(in, in.secondLevels(), in.secondLevelTable(), -1, address, needs, write);
    }

    private long fromKnown(AddressSpace in, long address, long needs, boolean write) {
        int top = in.secondLevels();
        for (int level = 1; level < top; level++) {
            long found = level == 1
                    ? trail.findLowest(in.domainSpace(), address)
                    : tables.find(in.domainSpace(), address, level);
            if (found != 0) {
                long all = PagingStructureCache.rights(found) | ~RIGHTS;
                return from(in, level, PagingStructureCache.tableHpa(found), all, address, needs, write);
            }
        }
        return from(in, top, in.secondLevelTable(), -1, address, needs, write);
    }

    /** @param known the intersection of the entries that lead to the table: rights, and A */
    private long from(AddressSpace in, int from, long topHpa, long known, long address, long needs, boolean write) {
        int level = from;
        long tableHpa = topHpa;
        long all = known;
        long entry;
        while (true) {
            long entryHpa = SecondLevelEntry.hpa(tableHpa, address, level);
            if (!memory.contains(entryHpa, SecondLevelEntry.BYTES)) {
                return 0;
            }
            entry = memory.readLong(entryHpa);
            all &= entry;
            if ((all & needs) == 0) {
                return 0;
            }
            if (level == 1 || (entry & stops) != 0) {
                break;
            }
            tableHpa = SecondLevelEntry.address(entry);
            level--;
            if (remembers) {
                trail.add(in.domainSpace(), address, level, tableHpa, all & RIGHTS);
            }
        }
        if (level == 1 ? (entry & reservedSmall) != 0 : !isLargeLeaf(entry, level)) {
            return 0;
        }
        // SNP, where it is not reserved, is bit 11, and SNOOP bit 4.
        long found = all & RIGHTS | entry >>> SNOOP_SHIFT & Iotlb.SNOOP;
        if (in.secondLevelAccessedDirty()) {
            if ((all & SecondLevelEntry.ACCESSED) == 0 || write && (entry & SecondLevelEntry.DIRTY) == 0) {
                return 0;
            }
            found = (entry & SecondLevelEntry.DIRTY) != 0 ? found : clean(found);
        }
        accesses += from - level + 1;
        return Iotlb.entryOfLevel(level, SecondLevelEntry.address(entry), found);
    }

    private static long clean(long found) {
        return (found & Iotlb.WRITE) != 0 ? found & ~Iotlb.WRITE | Iotlb.CLEAN : found;
    }

    private boolean isLargeLeaf(long entry, int level) {
        return (entry & SecondLevelEntry.PAGE_SIZE_BIT) != 0 && (entry & reserved[level + LEAF]) == 0;
    }

    /**
     * On success {@link #frameHpa}, {@link #pageShift} and {@link #marks} hold the page; on a denial {@link #notPresent} tells an
     * absent entry from a denied one.
     *
     * @param address within the width of the table
     * @param needs {@link Iotlb#READ}, {@link Iotlb#WRITE}; one of them is enough
     * @param write whether the page will be written, so that its dirty bit is due
     */
    @Nullable
    FaultReason walk(AddressSpace in, long address, long needs, boolean write, SecondLevelUse use) {
        notPresent = false;
        int top = in.secondLevels();
        int level = top;
        long tableHpa = in.secondLevelTable();
        long rights = RIGHTS;
        for (int known = 1; tables.present() && known < top; known++) {
            long found = tables.find(in.domainSpace(), address, known);
            if (found != 0) {
                level = known;
                tableHpa = PagingStructureCache.tableHpa(found);
                rights = PagingStructureCache.rights(found) & RIGHTS;
                break;
            }
        }
        for (int from = level; ; level--) {
            long entryHpa = SecondLevelEntry.hpa(tableHpa, address, level);
            accesses++;
            if (!memory.contains(entryHpa, SecondLevelEntry.BYTES)) {
                return level == top ? use.topUnreadable : use.unreadable;
            }
            long entry = memory.loadLongAcquire(entryHpa);
            rights &= entry;
            FaultReason reason = check(entry, level, rights, needs, use);
            if (reason != null) {
                return reason;
            }
            visitedHpa[level - 1] = entryHpa;
            visited[level - 1] = entry;
            if (SecondLevelEntry.leaf(entry, level)) {
                return leaf(in, entry, level, from, rights, write);
            }
            tableHpa = SecondLevelEntry.address(entry);
            trail.add(in.domainSpace(), address, level - 1, tableHpa, rights);
        }
    }

    /** The checks of one entry in their order. What passes and is no leaf leads to the next table. */
    private @Nullable FaultReason check(long entry, int level, long rights, long needs, SecondLevelUse use) {
        if ((rights & needs) == 0) {
            notPresent = (entry & RIGHTS) == 0;
            return needs == Iotlb.WRITE ? use.writeDenied : use.readDenied;
        }
        boolean leaf = SecondLevelEntry.leaf(entry, level);
        return (entry & reserved[leaf ? level + LEAF : level]) != 0 ? use.reserved : null;
    }

    private @Nullable FaultReason leaf(AddressSpace in, long entry, int level, int from, long rights, boolean write) {
        frameHpa = SecondLevelEntry.address(entry);
        pageShift = SecondLevelEntry.shift(level);
        marks = rights | ((entry & SecondLevelEntry.SNOOP) != 0 ? Iotlb.SNOOP : 0);
        if (!in.secondLevelAccessedDirty()) {
            return null;
        }
        boolean dirties = write && (rights & Iotlb.WRITE) != 0;
        if (!dirties && (entry & SecondLevelEntry.DIRTY) == 0 && (rights & Iotlb.WRITE) != 0) {
            marks = marks & ~Iotlb.WRITE | Iotlb.CLEAN;
        }
        return update(in, level, from, dirties);
    }

    private @Nullable FaultReason update(AddressSpace in, int leaf, int from, boolean dirties) {
        for (int level = from; level >= leaf; level--) {
            long wanted = SecondLevelEntry.ACCESSED | (level == leaf && dirties ? SecondLevelEntry.DIRTY : 0);
            if ((visited[level - 1] & wanted) == wanted) {
                continue;
            }
            if (!in.walkSnoop()) {
                return FaultReason.SECOND_LEVEL_NO_SNOOP;
            }
            long seen = visited[level - 1];
            long ignored = SecondLevelEntry.ACCESSED | SecondLevelEntry.DIRTY;
            if (!EntryUpdate.set(memory, visitedHpa[level - 1], seen, wanted, ignored)) {
                return FaultReason.ACCESSED_DIRTY_FAILED;
            }
        }
        return null;
    }

    /** A new request begins. */
    void begin() {
        accesses = 0;
    }

    /** Entries read for the request. */
    long accesses() {
        return accesses;
    }

    /** First byte of the page that was found. */
    long frameHpa() {
        return frameHpa;
    }

    /** Where an address in that page lies. */
    long hpa(long address) {
        return frameHpa | address & (1L << pageShift) - 1;
    }

    /** 12, 21 or 30. */
    int pageShift() {
        return pageShift;
    }

    /** {@link Iotlb#READ}, WRITE, SNOOP and CLEAN. */
    long marks() {
        return marks;
    }

    /** Whether the last denial came from an entry without any right. */
    boolean notPresent() {
        return notPresent;
    }
}

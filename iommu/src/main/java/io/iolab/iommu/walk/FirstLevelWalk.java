package io.iolab.iommu.walk;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.cache.PagingStructureCache;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.FirstLevelEntry;
import io.iolab.iommu.table.SecondLevelEntry;
import org.jspecify.annotations.Nullable;

/**
 * The walk through a first-level table (VT-d 3.6, 9.7): the processor's format, four or five levels. Nested, every address in it is
 * guest physical, and each table as well as the page is sought through the second level (VT-d 3.8).
 *
 * <p>The address must be canonical. At each level: readable, present, reserved bits. Then, for the page as a whole: user or
 * supervisor, execution, writing. Then, nested, what the second level makes of the page. Accessed and dirty bits last.
 *
 * <p>Threading: the thread that runs the requester, or any under the unit's lock.
 */
final class FirstLevelWalk {
    private static final int MAXIMUM_LEVELS = 5;
    private static final long PRESENT = 1;
    private static final long ALL_RIGHTS = Iotlb.WRITE | Iotlb.USER | Iotlb.EXECUTE;
    private static final long WRITES = Iotlb.WRITE | Iotlb.SUPERVISOR_WRITE;

    private final Memory memory;
    private final Capabilities capabilities;
    private final PagingStructureCache tables;
    private final boolean remembers;
    private final TableTrail trail;
    private final SecondLevelWalk second;
    private final int guestAddressWidth;
    /** Reserved bits of every entry, nested and not, where XD is none. */
    private final long reservedNested;

    private final long reservedHost;
    private final long[] visitedHpa = new long[MAXIMUM_LEVELS];
    /** Guest physical where nested. */
    private final long[] visitedAddress = new long[MAXIMUM_LEVELS];

    private final long[] visited = new long[MAXIMUM_LEVELS];
    private long accesses;
    private long frameHpa;
    private int pageShift;
    private long marks;
    private boolean notPresent;

    FirstLevelWalk(
            Memory memory,
            Capabilities capabilities,
            PagingStructureCache tables,
            TableTrail trail,
            SecondLevelWalk second) {
        this.memory = memory;
        this.capabilities = capabilities;
        this.tables = tables;
        this.remembers = tables.present();
        this.trail = trail;
        this.second = second;
        guestAddressWidth = capabilities.guestAddressWidth();
        reservedNested = FirstLevelEntry.reserved(1, true, true, true, capabilities);
        reservedHost = FirstLevelEntry.reserved(1, true, false, true, capabilities);
    }

    private static boolean canonical(long iova, int width) {
        return iova << 64 - width >> 64 - width == iova;
    }

    /**
     * The walk of a request that meets no obstacle and has no bit to set, as {@link SecondLevelWalk#common}. {@link #walk} finds out
     * what stopped it.
     *
     * @return the page as the IOTLB keeps it; or 0
     */
    long common(AddressSpace in, long iova, long needs, boolean write) {
        int level = in.firstLevels();
        if (!canonical(iova, Math.min(12 + 9 * level, guestAddressWidth))) {
            return 0;
        }
        long tableAddress = in.firstLevelTable();
        // The intersection of all entries, XD turned round so that it is a right like the others.
        long all = -1;
        if (remembers) {
            for (int known = 1; known < level; known++) {
                long found = known == 1 ? trail.findLowest(in.space(), iova) : tables.find(in.space(), iova, known);
                if (found != 0) {
                    level = known;
                    tableAddress = PagingStructureCache.tableHpa(found);
                    all = allOf(PagingStructureCache.rights(found));
                }
            }
        }
        boolean nested = in.kind() == AddressSpace.Kind.NESTED;
        long reserved = (nested ? reservedNested : reservedHost) | (in.noExecute() ? 0 : FirstLevelEntry.NO_EXECUTE);
        long table = reserved | FirstLevelEntry.PAGE_SIZE | PRESENT;
        int from = level;
        long entry;
        while (true) {
            long entryHpa = SecondLevelEntry.hpa(tableAddress, iova, level);
            if (nested) {
                entryHpa = nestedHpa(in, entryHpa);
            }
            if (!memory.contains(entryHpa, FirstLevelEntry.BYTES)) {
                return 0;
            }
            entry = memory.readLong(entryHpa);
            all &= entry ^ FirstLevelEntry.NO_EXECUTE;
            if (level == 1 || (entry & table) != PRESENT) {
                break;
            }
            tableAddress = FirstLevelEntry.address(entry);
            level--;
            if (remembers) {
                trail.add(in.space(), iova, level, tableAddress, rights(all ^ FirstLevelEntry.NO_EXECUTE));
            }
        }
        if (level > 1) {
            if ((entry & FirstLevelEntry.PAGE_SIZE) == 0) {
                return 0;
            }
            reserved = FirstLevelEntry.reserved(level, true, nested, in.noExecute(), capabilities);
        }
        if ((entry & (reserved | PRESENT)) != PRESENT) {
            return 0;
        }
        long page = commonPage(in, iova, level, entry, all, needs, write);
        accesses += page != 0 ? from - level + 1 : 0;
        return page;
    }

    /** Where a table entry at a guest physical address lies, or -1. */
    private long nestedHpa(AddressSpace in, long entryGpa) {
        if (entryGpa >>> in.inputWidth() != 0) {
            return -1;
        }
        long page = second.common(in, entryGpa, Iotlb.READ, false);
        return page != 0 ? Iotlb.hpa(page, entryGpa) : -1;
    }

    /** @param all the intersection of all entries, XD turned round */
    private long commonPage(AddressSpace in, long iova, int level, long entry, long all, long needs, boolean write) {
        long accessed = FirstLevelEntry.ACCESSED | (in.extendedAccessed() ? FirstLevelEntry.EXTENDED_ACCESSED : 0);
        long granted = marks(in, rights(all ^ FirstLevelEntry.NO_EXECUTE));
        boolean clean = (entry & FirstLevelEntry.DIRTY) == 0;
        boolean dirties = write && (granted & in.writeRights()) != 0;
        if ((all & accessed) != accessed
                || (in.required() & ~granted) != 0
                || (granted & needs) == 0
                || clean && dirties) {
            return 0;
        }
        long frame = FirstLevelEntry.frame(entry, level);
        if (in.kind() != AddressSpace.Kind.NESTED) {
            long found = clean && (granted & WRITES) != 0 ? granted & ~WRITES | Iotlb.CLEAN : granted;
            return Iotlb.entryOfLevel(level, frame, found);
        }
        long gpa = frame | iova & (1L << SecondLevelEntry.shift(level)) - 1;
        if (gpa >>> in.inputWidth() != 0) {
            return 0;
        }
        long page = second.common(in, gpa, secondNeeds(needs), write);
        if (page == 0) {
            return 0;
        }
        int smaller = Math.min(level, Iotlb.level(page));
        long frameHpa = Iotlb.hpa(page, gpa) & -(1L << SecondLevelEntry.shift(smaller));
        return Iotlb.entryOfLevel(smaller, frameHpa, nestedMarks(granted, page, clean));
    }

    /** {@link Iotlb#READ} or WRITE as a second level knows them. */
    static long secondNeeds(long needs) {
        return needs & Iotlb.READ | ((needs & WRITES) != 0 ? Iotlb.WRITE : 0);
    }

    /**
     * On success {@link #frameHpa}, {@link #pageShift} and {@link #marks} hold the page.
     *
     * @param needs {@link Iotlb#READ} or a write mark, or both; one of them is enough
     * @param write whether the page will be written
     */
    @Nullable
    FaultReason walk(AddressSpace in, long iova, long needs, boolean write) {
        notPresent = false;
        int top = in.firstLevels();
        int width = 12 + 9 * top;
        if (!canonical(iova, width)) {
            return FaultReason.NOT_CANONICAL;
        }
        if (!canonical(iova, Math.min(width, guestAddressWidth))) {
            return FaultReason.BEYOND_HARDWARE_WIDTH;
        }
        long table = in.firstLevelTable();
        int level = top;
        long rights = ALL_RIGHTS;
        for (int known = 1; tables.present() && known < top; known++) {
            long found = tables.find(in.space(), iova, known);
            if (found != 0) {
                level = known;
                table = PagingStructureCache.tableHpa(found);
                rights = PagingStructureCache.rights(found);
                break;
            }
        }
        for (int from = level; ; level--) {
            FaultReason reason = entry(in, table, iova, level);
            if (reason != null) {
                return reason;
            }
            long entry = visited[level - 1];
            rights &= rights(entry);
            if (FirstLevelEntry.leaf(entry, level)) {
                reason = page(in, iova, level, rights, needs, write);
                return reason != null ? reason : update(in, level, from, dirties(in, rights, write));
            }
            table = FirstLevelEntry.address(entry);
            if (tables.present()) {
                trail.add(in.space(), iova, level - 1, table, rights);
            }
        }
    }

    /** Whether the request may write the page and does. */
    private static boolean dirties(AddressSpace in, long rights, boolean write) {
        return write && (marks(in, rights) & in.writeRights()) != 0;
    }

    private static long rights(long entry) {
        return entry & FirstLevelEntry.WRITE
                | ((entry & FirstLevelEntry.USER) != 0 ? Iotlb.USER : 0)
                | ((entry & FirstLevelEntry.NO_EXECUTE) == 0 ? Iotlb.EXECUTE : 0);
    }

    /** The entry, XD turned round and all its other bits set, that gives these {@link #rights}. */
    private static long allOf(long rights) {
        return rights & Iotlb.WRITE
                | ((rights & Iotlb.USER) != 0 ? FirstLevelEntry.USER : 0)
                | ((rights & Iotlb.EXECUTE) != 0 ? FirstLevelEntry.NO_EXECUTE : 0)
                | ~(FirstLevelEntry.WRITE | FirstLevelEntry.USER | FirstLevelEntry.NO_EXECUTE);
    }

    /** Reads one entry into {@link #visited} and checks it. */
    private @Nullable FaultReason entry(AddressSpace in, long table, long iova, int level) {
        boolean isTop = level == in.firstLevels();
        boolean nested = in.kind() == AddressSpace.Kind.NESTED;
        long address = SecondLevelEntry.hpa(table, iova, level);
        long entryHpa = address;
        if (nested) {
            if (address >>> in.inputWidth() != 0) {
                return FaultReason.FIRST_LEVEL_BEYOND_NESTED_WIDTH;
            }
            FaultReason reason = second.walk(
                    in, address, Iotlb.READ, false, isTop ? SecondLevelUse.NESTED_TOP : SecondLevelUse.NESTED_TABLE);
            if (reason != null) {
                return reason;
            }
            entryHpa = second.hpa(address);
        }
        accesses++;
        if (!memory.contains(entryHpa, FirstLevelEntry.BYTES)) {
            return isTop ? FaultReason.FIRST_LEVEL_TOP_UNREADABLE : FaultReason.FIRST_LEVEL_UNREADABLE;
        }
        long entry = memory.loadLongAcquire(entryHpa);
        if (!FirstLevelEntry.present(entry)) {
            return FaultReason.FIRST_LEVEL_NOT_PRESENT;
        }
        boolean leaf = FirstLevelEntry.leaf(entry, level);
        if ((entry & FirstLevelEntry.reserved(level, leaf, nested, in.noExecute(), capabilities)) != 0) {
            return FaultReason.FIRST_LEVEL_RESERVED;
        }
        visitedHpa[level - 1] = entryHpa;
        visitedAddress[level - 1] = address;
        visited[level - 1] = entry;
        return null;
    }

    private @Nullable FaultReason page(AddressSpace in, long iova, int level, long rights, long needs, boolean write) {
        FaultReason denied = denied(in, rights, needs);
        if (denied != null) {
            return denied;
        }
        pageShift = SecondLevelEntry.shift(level);
        frameHpa = FirstLevelEntry.frame(visited[level - 1], level);
        marks = marks(in, rights);
        boolean clean = (visited[level - 1] & FirstLevelEntry.DIRTY) == 0;
        if (clean && !dirties(in, rights, write) && (marks & WRITES) != 0) {
            marks = marks & ~WRITES | Iotlb.CLEAN;
        }
        return in.kind() == AddressSpace.Kind.NESTED ? nestedPage(in, iova, rights, needs, write) : null;
    }

    private static @Nullable FaultReason denied(AddressSpace in, long rights, long needs) {
        long marks = marks(in, rights);
        if ((in.required() & Iotlb.USER & ~marks) != 0) {
            return FaultReason.USER_DENIED;
        }
        if ((in.required() & ~marks) != 0) {
            return FaultReason.EXECUTE_DENIED;
        }
        return (marks & needs) == 0 ? FaultReason.SCALABLE_WRITE_DENIED : null;
    }

    /** What the levels allow to whom. A present page can always be read. */
    private static long marks(AddressSpace in, long rights) {
        boolean userPage = (rights & Iotlb.USER) != 0;
        boolean executable = (rights & Iotlb.EXECUTE) != 0;
        return Iotlb.READ
                | rights
                | ((rights & Iotlb.WRITE) != 0 || !in.writeProtect() ? Iotlb.SUPERVISOR_WRITE : 0)
                | (executable && !(userPage && in.executePrevention()) ? Iotlb.SUPERVISOR_EXECUTE : 0)
                | in.pageMarks();
    }

    /** Takes the page through the second level: the smaller page and the fewer rights of both remain. */
    private @Nullable FaultReason nestedPage(AddressSpace in, long iova, long rights, long needs, boolean write) {
        long gpa = frameHpa | iova & (1L << pageShift) - 1;
        if (gpa >>> in.inputWidth() != 0) {
            return FaultReason.FIRST_LEVEL_BEYOND_NESTED_WIDTH;
        }
        FaultReason reason = second.walk(in, gpa, secondNeeds(needs), write, SecondLevelUse.NESTED_PAGE);
        if (reason != null) {
            notPresent = second.notPresent();
            marks = nestedMarks(marks(in, rights), 0, false);
            return reason;
        }
        pageShift = Math.min(pageShift, second.pageShift());
        frameHpa = second.hpa(gpa) & -(1L << pageShift);
        boolean clean = (marks & Iotlb.CLEAN) != 0;
        marks = nestedMarks(marks(in, rights), second.marks(), clean);
        return null;
    }

    /**
     * The rights that both levels give.
     *
     * @param granted marks of the first level
     * @param allowed marks of the second
     * @param firstClean the first level's dirty bit is clear
     */
    private static long nestedMarks(long granted, long allowed, boolean firstClean) {
        boolean clean = firstClean || (allowed & Iotlb.CLEAN) != 0;
        long found = granted | allowed & Iotlb.SNOOP;
        found |= (granted & Iotlb.WRITE) != 0 ? Iotlb.FIRST_LEVEL_WRITE : 0;
        found |= (granted & Iotlb.SUPERVISOR_WRITE) != 0 ? Iotlb.FIRST_LEVEL_SUPERVISOR_WRITE : 0;
        found &= (allowed & Iotlb.READ) == 0 ? ~Iotlb.READ : -1;
        if ((allowed & (Iotlb.WRITE | Iotlb.CLEAN)) == 0) {
            return found & ~WRITES;
        }
        return clean && (found & WRITES) != 0 ? found & ~WRITES | Iotlb.CLEAN : found;
    }

    private @Nullable FaultReason update(AddressSpace in, int leaf, int from, boolean dirties) {
        long accessed = FirstLevelEntry.ACCESSED | (in.extendedAccessed() ? FirstLevelEntry.EXTENDED_ACCESSED : 0);
        for (int level = from; level >= leaf; level--) {
            long wanted = accessed | (level == leaf && dirties ? FirstLevelEntry.DIRTY : 0);
            if ((visited[level - 1] & wanted) == wanted) {
                continue;
            }
            FaultReason reason = in.walkSnoop() ? updatable(in, level) : FaultReason.FIRST_LEVEL_NO_SNOOP;
            if (reason != null) {
                return reason;
            }
            long ignored = accessed | FirstLevelEntry.DIRTY;
            if (!EntryUpdate.set(memory, visitedHpa[level - 1], visited[level - 1], wanted, ignored)) {
                return FaultReason.ACCESSED_DIRTY_FAILED;
            }
        }
        return null;
    }

    /** Nested, an update is a write to guest memory, which the second level must allow and whose page becomes dirty. */
    private @Nullable FaultReason updatable(AddressSpace in, int level) {
        return in.kind() == AddressSpace.Kind.NESTED
                ? second.walk(in, visitedAddress[level - 1], Iotlb.WRITE, true, SecondLevelUse.NESTED_TABLE)
                : null;
    }

    /** A new request begins. */
    void begin() {
        accesses = 0;
    }

    /** Entries of first-level tables read for the request. */
    long accesses() {
        return accesses;
    }

    /** First byte of the page that was found. */
    long frameHpa() {
        return frameHpa;
    }

    /** 12, 21 or 30. */
    int pageShift() {
        return pageShift;
    }

    /** Marks of {@link Iotlb}. */
    long marks() {
        return marks;
    }

    /**
     * Whether the last fault came from a second-level entry that is not present. An absent first-level entry is no such: as in a processor
     * nobody remembers it, whatever the caching mode, and Linux tells nobody of its mappings there.
     */
    boolean notPresent() {
        return notPresent;
    }
}

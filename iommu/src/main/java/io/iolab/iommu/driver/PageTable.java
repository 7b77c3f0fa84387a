package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import java.util.Arrays;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A second-level or first-level table that this driver builds (VT-d 9.7, 9.8): entry layout transcribed here, apart from the model's.
 * The two differ in the bits beside the address. Accessed and dirty are set from the start in first-level entries, so that the unit
 * need not write to the table, which it may be unable to do coherently.
 *
 * <p>Entries are published with release stores, a new table before the entry that leads to it, so that the unit never walks into a
 * frame that is not yet zeroed.
 */
final class PageTable {
    private static final long PAGE_SIZE = 1L << 7;
    /** R and W of a second-level entry; P and R/W of a first-level one. Either way, none is set in an absent entry. */
    private static final long RIGHTS = 3;

    /** D of a second-level entry, where the PASID entry has SLADE. */
    private static final long DIRTY = 1L << 9;

    private static final long FIRST_LEVEL_TABLE = 1 | 1 << 1 | 1 << 2 | 1 << 5;
    private static final long FIRST_LEVEL_READ = 1 | 1 << 2 | 1 << 5;
    private static final long FIRST_LEVEL_WRITE = FIRST_LEVEL_READ | 1 << 1 | 1 << 6;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;
    private static final int ENTRIES = 512;

    private final UnitRegisters unit;
    private final Memory memory;
    private final FrameSource frames;
    private final boolean firstLevel;
    private final int levels;
    private final long rootHpa;
    /** Tables taken out of the tree by an unmap; freed when the unit has forgotten them. */
    private long[] retired = new long[16];

    private int retiredCount;
    private boolean unlinked;

    PageTable(UnitRegisters unit, Memory memory, FrameSource frames, boolean firstLevel, int levels) {
        this.unit = unit;
        this.firstLevel = firstLevel;
        this.memory = memory;
        this.frames = frames;
        this.levels = levels;
        this.rootHpa = frames.allocatePage();
    }

    long rootHpa() {
        return rootHpa;
    }

    private static int shift(int level) {
        return 12 + 9 * (level - 1);
    }

    private static long entryHpa(long tableHpa, long iova, int level) {
        return tableHpa + 8 * (iova >>> shift(level) & ENTRIES - 1);
    }

    private static boolean isLeaf(long entry, int level) {
        return level == 1 || (entry & PAGE_SIZE) != 0;
    }

    /** Whether nothing is mapped in {@code [iova, iova + length)}. */
    boolean isFree(long iova, long length) {
        for (long end = iova + length; iova < end; ) {
            long tableHpa = rootHpa;
            int level = levels;
            long entry = memory.readLong(entryHpa(tableHpa, iova, level));
            while ((entry & RIGHTS) != 0) {
                if (isLeaf(entry, level)) {
                    return false;
                }
                tableHpa = entry & ADDRESS;
                level--;
                entry = memory.readLong(entryHpa(tableHpa, iova, level));
            }
            iova = AddressRange.alignDown(iova, 1L << shift(level)) + (1L << shift(level));
        }
        return true;
    }

    /** Maps a free range with the largest pages that alignment, length and the unit allow. */
    void map(long iova, long hpa, long length, MapRights rights) {
        long done = 0;
        while (done < length) {
            done += mapOne(iova + done, hpa + done, length - done, rights);
        }
    }

    private boolean leafAllowed(int level) {
        return firstLevel ? unit.firstLevelLeafAllowed(level) : unit.leafAllowed(level);
    }

    private long bits(MapRights rights) {
        if (!firstLevel) {
            return rights.bits();
        }
        return rights == MapRights.READ ? FIRST_LEVEL_READ : FIRST_LEVEL_WRITE;
    }

    private long mapOne(long iova, long hpa, long length, MapRights rights) {
        long tableHpa = rootHpa;
        for (int level = levels; ; level--) {
            long entryHpa = entryHpa(tableHpa, iova, level);
            long entry = memory.readLong(entryHpa);
            long size = 1L << shift(level);
            boolean fits = leafAllowed(level) && ((iova | hpa) & size - 1) == 0 && length >= size;
            if (fits) {
                memory.storeLongRelease(entryHpa, hpa | (level > 1 ? PAGE_SIZE : 0) | bits(rights));
                if ((entry & RIGHTS) != 0) {
                    // The range is free, so this is a table with nothing in it, left by pages that were unmapped.
                    free(entry & ADDRESS, level - 1, this::retire);
                }
                return size;
            }
            if ((entry & RIGHTS) == 0) {
                entry = frames.allocatePage() | (firstLevel ? FIRST_LEVEL_TABLE : RIGHTS);
                memory.storeLongRelease(entryHpa, entry);
            }
            tableHpa = entry & ADDRESS;
        }
    }

    /** Whether a mapping reaches across either end of the range, so that it could not be unmapped without the rest of that page. */
    boolean splitsPage(long iova, long length) {
        return startsInside(iova) || startsInside(iova + length);
    }

    /** Whether {@code iova} lies inside a page that begins below it. */
    private boolean startsInside(long iova) {
        if (iova >>> shift(levels + 1) != 0) {
            return false;
        }
        long tableHpa = rootHpa;
        for (int level = levels; level >= 1; level--) {
            long entry = memory.readLong(entryHpa(tableHpa, iova, level));
            if ((entry & RIGHTS) == 0) {
                return false;
            }
            if (isLeaf(entry, level)) {
                return (iova & (1L << shift(level)) - 1) != 0;
            }
            tableHpa = entry & ADDRESS;
        }
        return false;
    }

    /**
     * Clears every entry of the range. Tables that the range covers wholly leave the tree and wait for {@link #freeRetired}.
     *
     * @return bytes that were mapped
     */
    long unmap(long iova, long length) {
        return clear(rootHpa, levels, 0, iova, iova + length - 1, null);
    }

    /** As {@link #unmap}, and hands out those pages that were written: none is missed, as the bit is taken with the entry. */
    long unmap(long iova, long length, DirtyPages dirty) {
        return clear(rootHpa, levels, 0, iova, iova + length - 1, dirty);
    }

    /** Clears the dirty bits of the range, and hands out the pages that had one. */
    void takeDirty(long iova, long length, DirtyPages dirty) {
        takeDirty(rootHpa, levels, 0, iova, iova + length - 1, dirty);
    }

    private void takeDirty(long tableHpa, int level, long tableBase, long first, long last, DirtyPages dirty) {
        int from = first <= tableBase ? 0 : (int) (first - tableBase >>> shift(level));
        int to = (int) Math.min(ENTRIES - 1, last - tableBase >>> shift(level));
        for (int index = from; index <= to; index++) {
            long entryHpa = tableHpa + 8L * index;
            long entry = memory.loadLongAcquire(entryHpa);
            long base = tableBase + ((long) index << shift(level));
            if ((entry & RIGHTS) == 0) {
                continue;
            }
            if (!isLeaf(entry, level)) {
                takeDirty(entry & ADDRESS, level - 1, base, first, last, dirty);
            } else if ((exchange(entryHpa, ~DIRTY) & DIRTY) != 0) {
                dirty.dirty(base, 1L << shift(level));
            }
        }
    }

    /** Keeps these bits of an entry, which the unit may be changing. @return the entry as it was */
    private long exchange(long entryHpa, long kept) {
        long entry = memory.loadLongAcquire(entryHpa);
        while (!memory.compareAndSetLong(entryHpa, entry, entry & kept)) {
            entry = memory.loadLongAcquire(entryHpa);
        }
        return entry;
    }

    /** @param tableBase the first address that the table translates */
    private long clear(long tableHpa, int level, long tableBase, long first, long last, @Nullable DirtyPages dirty) {
        long cleared = 0;
        int from = first <= tableBase ? 0 : (int) (first - tableBase >>> shift(level));
        int to = (int) Math.min(ENTRIES - 1, last - tableBase >>> shift(level));
        for (int index = from; index <= to; index++) {
            long entryHpa = tableHpa + 8L * index;
            long entry = memory.readLong(entryHpa);
            if ((entry & RIGHTS) == 0) {
                continue;
            }
            long base = tableBase + ((long) index << shift(level));
            long size = 1L << shift(level);
            if (isLeaf(entry, level)) {
                if (dirty == null) {
                    memory.storeLongRelease(entryHpa, 0);
                } else if ((exchange(entryHpa, 0) & DIRTY) != 0) {
                    dirty.dirty(base, size);
                }
                cleared += size;
            } else {
                if (first <= base && base + size - 1 <= last) {
                    memory.storeLongRelease(entryHpa, 0);
                    retire(entry & ADDRESS);
                }
                cleared += clear(entry & ADDRESS, level - 1, base, first, last, dirty);
            }
        }
        return cleared;
    }

    private void retire(long tableHpa) {
        unlinked = true;
        if (retiredCount == retired.length) {
            retired = Arrays.copyOf(retired, 2 * retiredCount);
        }
        retired[retiredCount++] = tableHpa;
    }

    /** Whether tables have left the tree since {@link #linked}, so that an invalidation must cover more than leaves. */
    boolean hasUnlinked() {
        return unlinked;
    }

    void linked() {
        unlinked = false;
    }

    /** After the invalidation and its wait. */
    void freeRetired() {
        for (int i = 0; i < retiredCount; i++) {
            frames.freePage(retired[i]);
        }
        retiredCount = 0;
    }

    /** Frees every frame; the unit must have forgotten the whole table. */
    void free() {
        free(rootHpa, levels, frames::freePage);
    }

    private void free(long tableHpa, int level, LongConsumer release) {
        for (int index = 0; level > 1 && index < ENTRIES; index++) {
            long entry = memory.readLong(tableHpa + 8L * index);
            if ((entry & RIGHTS) != 0 && !isLeaf(entry, level)) {
                free(entry & ADDRESS, level - 1, release);
            }
        }
        release.accept(tableHpa);
    }

    /** Where software's own walk leads, or -1. */
    long translate(long iova) {
        long tableHpa = rootHpa;
        for (int level = levels; level >= 1; level--) {
            long entry = memory.readLong(entryHpa(tableHpa, iova, level));
            if ((entry & RIGHTS) == 0) {
                return -1;
            }
            if (isLeaf(entry, level)) {
                long offset = (1L << shift(level)) - 1;
                return entry & ADDRESS & ~offset | iova & offset;
            }
            tableHpa = entry & ADDRESS;
        }
        return -1;
    }
}

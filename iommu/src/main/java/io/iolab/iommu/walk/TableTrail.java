package io.iolab.iommu.walk;

import io.iolab.iommu.cache.PagingStructureCache;

/**
 * What a walk learns of the tables it comes through, to be entered when it has succeeded: those that the paging-structure caches do
 * not know yet, and those of level 1 that were found there. The latter are kept here, a copy each, so that the next walk below the same
 * table need not search; a copy counts while nothing in the paging-structure caches has changed.
 *
 * <p>Threading: the thread of the walk.
 */
final class TableTrail {
    /** A nested walk of five levels: each of five tables and the page walks five levels itself. */
    private static final int LONGEST = 4 * 6 + 4;

    private static final int WORDS = 4;
    private static final int LEVEL_SHIFT = 8;

    /** Copies, direct-mapped. */
    private static final int COPIES = 64;

    private static final int SPACE = 1;
    private static final int CHANGES = 2;
    private static final int VALUE = 3;
    /** Bits below the part of an address that leads to a table of level 1. */
    private static final int REGION_SHIFT = 21;

    private static final long NEVER = -1;

    private final PagingStructureCache tables;
    private final boolean present;
    private final long[] steps = new long[LONGEST * WORDS];
    private int length;

    /** Each is region, space, changes of the caches at the time, and what they held. */
    private final long[] copies;

    /** Region, space and value of tables found by this walk; all in all a table and a page, for each of two levels. */
    private final long[] found = new long[LONGEST * WORDS];

    private int foundLength;

    TableTrail(PagingStructureCache tables) {
        this.tables = tables;
        this.present = tables.present();
        copies = new long[present ? COPIES * WORDS : WORDS];
        java.util.Arrays.fill(copies, NEVER);
    }

    void begin() {
        length = 0;
        foundLength = 0;
    }

    void add(long space, long address, int level, long tableHpa, long rights) {
        if (present && length + WORDS <= steps.length) {
            steps[length] = space;
            steps[length + 1] = address;
            steps[length + 2] = (long) level << LEVEL_SHIFT | rights;
            steps[length + 3] = tableHpa;
            length += WORDS;
        }
    }

    /** As {@link PagingStructureCache#find} of level 1. */
    long findLowest(long space, long address) {
        long region = address >>> REGION_SHIFT;
        int at = copyOf(space, region);
        if (copies[at] == region && copies[at + SPACE] == space && copies[at + CHANGES] == tables.changes()) {
            return copies[at + VALUE];
        }
        long value = tables.find(space, address, 1);
        if (value != 0 && foundLength + WORDS <= found.length) {
            found[foundLength] = region;
            found[foundLength + SPACE] = space;
            found[foundLength + VALUE] = value;
            foundLength += WORDS;
        }
        return value;
    }

    /** First-level and nested tables of an address lie beside second-level ones. */
    private int copyOf(long space, long region) {
        int index = (int) (region ^ space >>> 31) & copies.length / WORDS - 1;
        return index * WORDS;
    }

    /** Within a change of the caches' version. */
    void fill() {
        if (length + foundLength != 0) {
            enter();
        }
    }

    private void enter() {
        for (int at = 0; at < length; at += WORDS) {
            long step = steps[at + 2];
            tables.fill(steps[at], steps[at + 1], (int) (step >>> LEVEL_SHIFT), steps[at + 3], step & 0xFF);
        }
        if (length == 0) {
            for (int from = 0; from < foundLength; from += WORDS) {
                int at = copyOf(found[from + SPACE], found[from]);
                copies[at] = found[from];
                copies[at + SPACE] = found[from + SPACE];
                copies[at + CHANGES] = tables.changes();
                copies[at + VALUE] = found[from + VALUE];
            }
        }
        begin();
    }
}

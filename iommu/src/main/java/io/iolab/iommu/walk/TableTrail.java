package io.iolab.iommu.walk;

import io.iolab.iommu.cache.PagingStructureCache;

/**
 * The tables that a walk came through and the paging-structure caches do not know yet, to be entered when the walk has succeeded.
 *
 * <p>Threading: the thread of the walk.
 */
final class TableTrail {
    /** A nested walk of five levels: each of five tables and the page walks five levels itself. */
    private static final int LONGEST = 4 * 6 + 4;

    private static final int WORDS = 4;
    private static final int LEVEL_SHIFT = 8;

    private final PagingStructureCache tables;
    private final long[] steps = new long[LONGEST * WORDS];
    private int length;

    TableTrail(PagingStructureCache tables) {
        this.tables = tables;
    }

    void begin() {
        length = 0;
    }

    void add(long space, long address, int level, long tableHpa, long rights) {
        if (tables.present() && length + WORDS <= steps.length) {
            steps[length] = space;
            steps[length + 1] = address;
            steps[length + 2] = (long) level << LEVEL_SHIFT | rights;
            steps[length + 3] = tableHpa;
            length += WORDS;
        }
    }

    /** Within a change of the caches' version. */
    void fill() {
        for (int at = 0; at < length; at += WORDS) {
            long step = steps[at + 2];
            tables.fill(steps[at], steps[at + 1], (int) (step >>> LEVEL_SHIFT), steps[at + 3], step & 0xFF);
        }
        length = 0;
    }
}

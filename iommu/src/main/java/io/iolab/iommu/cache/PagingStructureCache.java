package io.iolab.iommu.cache;

/**
 * Where the tables of each level are, by the part of an address that leads there (VT-d 6.2.5): one set-associative array for each
 * level. A value is the host address of a page table with the rights that all entries above it allow, in the bits of
 * {@link Iotlb}.
 *
 * <p>Threading: as {@link Iotlb}.
 */
public final class PagingStructureCache {
    /** The table of level 1 is found through an entry of level 2, that of level 4 through one of level 5. */
    private static final int LEVELS = 4;

    private static final long TABLE = 0x000F_FFFF_FFFF_F000L;
    private static final long VALID = 0x100;

    private final boolean present;
    private long changes;
    private final TaggedArray[] arrays = new TaggedArray[LEVELS];

    public PagingStructureCache(CacheGeometry geometry) {
        present = geometry.entries() != 0;
        for (int i = 0; i < LEVELS; i++) {
            arrays[i] = new TaggedArray(geometry);
        }
    }

    /** Whether the unit has these caches at all. */
    public boolean present() {
        return present;
    }

    private static int shift(int level) {
        return 12 + 9 * level;
    }

    /**
     * The table of {@code level} on the way to {@code iova}, or 0.
     *
     * @param level 1 to 4
     */
    public long find(long space, long iova, int level) {
        return arrays[level - 1].find(space, CacheSpace.page(iova, shift(level)));
    }

    /** How often anything here may have changed: what was found before the last change has to be looked up again. */
    public long changes() {
        return changes;
    }

    public static long tableHpa(long value) {
        return value & TABLE;
    }

    /** {@link Iotlb#READ} to {@link Iotlb#USER}. */
    public static long rights(long value) {
        return value & 0xF;
    }

    /** Within a change of the {@link CacheVersion}. */
    public void fill(long space, long iova, int level, long tableHpa, long rights) {
        changes++;
        arrays[level - 1].fill(space, CacheSpace.page(iova, shift(level)), tableHpa & TABLE | VALID | rights);
    }

    void drop(long space, long compare, long iova, int blockShift) {
        if (present) {
            changes++;
            for (int level = 1; level <= LEVELS; level++) {
                arrays[level - 1].dropMatching(space, compare, CacheSpace.address(iova), shift(level), blockShift);
            }
        }
    }
}

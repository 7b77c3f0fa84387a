package io.iolab.iommu.cache;

/**
 * Translations by space and page: one set-associative array for each page size. Entries stay until they are invalidated or
 * replaced, whatever happens in memory.
 *
 * <p>An entry is one word: host frame, rights and marks below. With caching mode an absent page is kept as well, as a 4 KiB entry
 * without rights.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes while it is odd, those of
 * invalidations under the unit's lock.
 */
public final class Iotlb {
    public static final long READ = 1;
    public static final long WRITE = 2;
    public static final long EXECUTE = 4;

    /** Requests with user privilege may use it. */
    public static final long USER = 8;

    /** SNP, PWSNP or PGSNP: requests to it snoop, whatever they ask for. */
    public static final long SNOOP = 0x10;

    /** Writes are allowed but need another walk first, which sets the dirty bit. */
    public static final long CLEAN = 0x20;

    /** Requests with supervisor privilege may write: R/W is set, or does not count. */
    public static final long SUPERVISOR_WRITE = 0x200;

    /** Requests with supervisor privilege may execute. */
    public static final long SUPERVISOR_EXECUTE = 0x400;

    /** An absent page of a nested translation: the first level has it, the second has not. */
    public static final long SECOND_LEVEL_DENIES = 0x800;

    /** The first level of a nested translation allows writes, whatever the second made of it. */
    public static final long FIRST_LEVEL_WRITE = 1L << 52;

    /** The same for supervisor privilege. */
    public static final long FIRST_LEVEL_SUPERVISOR_WRITE = 1L << 53;

    /** Every mark that second-level translations, which know of no privilege and no execution, never lack. */
    public static final long UNRESTRICTED = EXECUTE | USER | SUPERVISOR_EXECUTE;

    private static final int SIZE_SHIFT = 6;
    private static final long VALID = 0x100;
    private static final long FRAME = 0x000F_FFFF_FFFF_F000L;
    private static final int SIZES = 3;

    private final TaggedArray[] arrays;
    private final TaggedArray pages4K;
    private final TaggedArray pages2M;
    private final TaggedArray pages1G;
    /** Whether there is any entry but for 4 KiB pages. */
    private boolean hasLarge;

    public Iotlb(CacheGeometry geometry4K, CacheGeometry geometry2M, CacheGeometry geometry1G) {
        pages4K = new TaggedArray(geometry4K);
        pages2M = new TaggedArray(geometry2M);
        pages1G = new TaggedArray(geometry1G);
        arrays = new TaggedArray[] {pages4K, pages2M, pages1G};
    }

    /** Entries for 4 KiB pages. */
    public int smallPages() {
        return pages4K.capacity();
    }

    private static int shift(int size) {
        return 12 + 9 * size;
    }

    /**
     * The entry that translates {@code iova} in this space, or 0.
     *
     * @param space as {@link CacheSpace} makes it
     */
    public long find(long space, long iova) {
        long entry = pages4K.find(space, CacheSpace.page(iova, 12));
        return entry != 0 || !hasLarge ? entry : findLarge(space, iova);
    }

    private long findLarge(long space, long iova) {
        long entry = pages2M.find(space, CacheSpace.page(iova, 21));
        return entry != 0 ? entry : pages1G.find(space, CacheSpace.page(iova, 30));
    }

    /** Where {@code iova} lies in host memory, by an entry that translates it. */
    public static long hpa(long entry, long iova) {
        long offset = isSmall(entry) ? 0xFFF : (1L << pageShift(entry)) - 1;
        return entry & FRAME | iova & offset;
    }

    /** 12, 21 or 30. */
    public static int pageShift(long entry) {
        return shift((int) (entry >>> SIZE_SHIFT) & 3);
    }

    /**
     * An entry.
     *
     * @param pageShift 12, 21 or 30
     * @param frameHpa aligned to the page
     * @param marks {@link #READ} to {@link #CLEAN}; none for a page that is known to be absent
     */
    public static long entry(int pageShift, long frameHpa, long marks) {
        return frameHpa & FRAME | (long) ((pageShift - 12) / 9) << SIZE_SHIFT | VALID | marks;
    }

    /** As {@link #entry}, by the page table level that maps the page, 1 to 3. */
    public static long entryOfLevel(int level, long frameHpa, long marks) {
        return frameHpa | (long) (level - 1) << SIZE_SHIFT | VALID | marks;
    }

    /** The level that maps the page, 1 to 3. */
    public static int level(long entry) {
        return ((int) (entry >>> SIZE_SHIFT) & 3) + 1;
    }

    /** Whether an entry is of a 4 KiB page. */
    public static boolean isSmall(long entry) {
        return (entry & 3 << SIZE_SHIFT) == 0;
    }

    /** First byte of the page. */
    public static long frameHpa(long entry) {
        return entry & FRAME;
    }

    /** Enters a translation that {@link #find} has not found, with nothing changed since. Within a change of the {@link CacheVersion}. */
    public void add(long space, long iova, long entry) {
        if (isSmall(entry)) {
            pages4K.add(space, CacheSpace.page(iova, 12), entry);
        } else {
            int size = (int) (entry >>> SIZE_SHIFT) & 3;
            arrays[size].add(space, CacheSpace.page(iova, shift(size)), entry);
            hasLarge = true;
        }
    }

    /** Enters a translation, in place of the one that is there. Within a change of the {@link CacheVersion}. */
    public void fill(long space, long iova, long entry) {
        int size = (int) (entry >>> SIZE_SHIFT) & 3;
        arrays[size].fill(space, CacheSpace.page(iova, shift(size)), entry);
        hasLarge |= size != 0;
    }

    /** Drops entries; see {@link TaggedArray#dropMatching}. Within a change of the {@link CacheVersion}. */
    void drop(long space, long compare, long iova, int blockShift) {
        for (int size = 0; size < SIZES; size++) {
            arrays[size].dropMatching(space, compare, CacheSpace.address(iova), shift(size), blockShift);
        }
        hasLarge = !pages2M.isEmpty() || !pages1G.isEmpty();
    }
}

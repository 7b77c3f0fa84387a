package io.iolab.iommu.cache;

/**
 * A set-associative array from a space and a page number to one word, replaced first-in first-out within a set. First-in first-out
 * rather than least recently used, so that a hit writes nothing and needs no lock. A slot is three words beside each other: page
 * number, space, value, and one of padding; a value of 0 is an empty slot.
 *
 * <p>A look-up compares all ways and branches on none: which way holds what is sought is as good as random, and a processor that
 * guesses it wrong loses more than the comparisons take.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes while it is odd.
 */
final class TaggedArray {
    private static final int SLOT_SHIFT = 2;
    private static final int SPACE = 1;
    private static final int VALUE = 2;

    private final int setMask;
    private final int ways;
    /** Words of a set, as a power of two; ways beyond the last stay empty. */
    private final int setShift;

    private final long[] words;
    private final byte[] victims;
    /** By set, a bit for each way that is empty. */
    private final long[] empty;

    private int occupied;

    TaggedArray(CacheGeometry geometry) {
        int sets = Math.max(1, geometry.sets());
        setMask = sets - 1;
        ways = geometry.ways();
        setShift = SLOT_SHIFT + Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, ways) - 1);
        words = new long[sets << setShift];
        victims = new byte[sets];
        empty = new long[sets];
        java.util.Arrays.fill(empty, ways == 0 ? 0 : -1L >>> Long.SIZE - ways);
    }

    boolean isEmpty() {
        return occupied == 0;
    }

    /** Values that there is room for. */
    int capacity() {
        return ways == 0 ? 0 : (setMask + 1) * ways;
    }

    private int setOf(long space, long page) {
        return (int) (page ^ space ^ space >>> CacheSpace.PASID_SHIFT) & setMask;
    }

    /** The value under this key, or 0. */
    long find(long space, long page) {
        int at = setOf(space, page) << setShift;
        long value = valueIf(at, space, page);
        if (ways > 1) {
            value |= valueIf(at + (1 << SLOT_SHIFT), space, page);
        }
        if (ways > 2) {
            value |= valueIf(at + (2 << SLOT_SHIFT), space, page) | valueIf(at + (3 << SLOT_SHIFT), space, page);
        }
        return ways > 4 ? value | findBeyond(at, space, page) : value;
    }

    private long findBeyond(int set, long space, long page) {
        long value = 0;
        for (int way = 4; way < ways; way++) {
            value |= valueIf(set + (way << SLOT_SHIFT), space, page);
        }
        return value;
    }

    /** The value of a slot if it is under this key, or 0, without a branch. */
    private long valueIf(int at, long space, long page) {
        long difference = words[at] ^ page | words[at + SPACE] ^ space;
        // Only 0 has a sign bit that a subtraction of 1 sets.
        return words[at + VALUE] & (difference - 1 & ~difference) >> Long.SIZE - 1;
    }

    /**
     * Enters a value, in place of the one that is there under this key.
     *
     * @param value not 0
     */
    void fill(long space, long page, long value) {
        int from = setOf(space, page) << setShift;
        for (int at = from, end = from + (ways << SLOT_SHIFT); at < end; at += 1 << SLOT_SHIFT) {
            if (words[at + VALUE] != 0 && words[at] == page && words[at + SPACE] == space) {
                words[at + VALUE] = value;
                return;
            }
        }
        add(space, page, value);
    }

    /**
     * Enters a value under a key that is not there.
     *
     * @param value not 0
     */
    void add(long space, long page, long value) {
        int set = setOf(space, page);
        long free = empty[set];
        int way;
        if (free == 0) {
            way = victims[set];
            victims[set] = (byte) (way + 1 == ways ? 0 : way + 1);
        } else {
            way = Long.numberOfTrailingZeros(free);
            empty[set] = free & free - 1;
            occupied++;
        }
        int at = (set << setShift) + (way << SLOT_SHIFT);
        words[at] = page;
        words[at + SPACE] = space;
        words[at + VALUE] = value;
    }

    private void drop(int at) {
        words[at] = 0;
        words[at + SPACE] = 0;
        words[at + VALUE] = 0;
        empty[at >>> setShift] |= 1L << ((at & (1 << setShift) - 1) >>> SLOT_SHIFT);
        occupied--;
    }

    /**
     * Drops the entries whose space agrees with {@code space} in the bits of {@code compare} and that meet the naturally aligned
     * block of two to the power of {@code blockShift} bytes around {@code iova}.
     *
     * @param pageShift bits below a page number of this array
     * @param blockShift 64 and above for every address
     */
    void dropMatching(long space, long compare, long iova, int pageShift, int blockShift) {
        if (occupied == 0) {
            return;
        }
        int coarser = Math.max(pageShift, blockShift);
        for (int at = 0; at < words.length; at += 1 << SLOT_SHIFT) {
            if (words[at + VALUE] != 0 && ((words[at + SPACE] ^ space) & compare) == 0) {
                long first = words[at] << pageShift;
                if (coarser >= CacheSpace.ADDRESS_BITS || first >>> coarser == iova >>> coarser) {
                    drop(at);
                }
            }
        }
    }
}

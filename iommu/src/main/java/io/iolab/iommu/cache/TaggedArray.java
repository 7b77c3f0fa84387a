package io.iolab.iommu.cache;

/**
 * A set-associative array from a space and a page number to one word, replaced first-in first-out within a set. First-in first-out
 * rather than least recently used, so that a hit writes nothing and needs no lock. A slot is three words beside each other: page
 * number, space, value, and one of padding; a value of 0 is an empty slot.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes while it is odd.
 */
final class TaggedArray {
    private static final int SLOT_SHIFT = 2;
    private static final int SPACE = 1;
    private static final int VALUE = 2;

    private final int setMask;
    private final int ways;
    private final long[] words;
    private final byte[] victims;
    private int occupied;

    TaggedArray(CacheGeometry geometry) {
        setMask = geometry.sets() - 1;
        ways = geometry.ways();
        words = new long[geometry.entries() << SLOT_SHIFT];
        victims = new byte[geometry.sets()];
    }

    boolean isEmpty() {
        return occupied == 0;
    }

    int slots() {
        return words.length >>> SLOT_SHIFT;
    }

    private int setOf(long space, long page) {
        return (int) (page ^ space ^ space >>> CacheSpace.PASID_SHIFT) & setMask;
    }

    /** The value under this key, or 0. */
    long find(long space, long page) {
        int at = setOf(space, page) * ways << SLOT_SHIFT;
        for (int end = at + (ways << SLOT_SHIFT); at < end; at += 1 << SLOT_SHIFT) {
            if (words[at] == page && words[at + SPACE] == space) {
                return words[at + VALUE];
            }
        }
        return 0;
    }

    /** @param value not 0 */
    void fill(long space, long page, long value) {
        int set = setOf(space, page);
        int from = set * ways << SLOT_SHIFT;
        int free = -1;
        for (int at = from, end = from + (ways << SLOT_SHIFT); at < end; at += 1 << SLOT_SHIFT) {
            if (words[at + VALUE] == 0) {
                free = free < 0 ? at : free;
            } else if (words[at] == page && words[at + SPACE] == space) {
                words[at + VALUE] = value;
                return;
            }
        }
        if (free < 0) {
            int way = victims[set];
            victims[set] = (byte) (way + 1 == ways ? 0 : way + 1);
            free = from + (way << SLOT_SHIFT);
        } else {
            occupied++;
        }
        words[free] = page;
        words[free + SPACE] = space;
        words[free + VALUE] = value;
    }

    long page(int slot) {
        return words[slot << SLOT_SHIFT];
    }

    long space(int slot) {
        return words[(slot << SLOT_SHIFT) + SPACE];
    }

    boolean holds(int slot) {
        return words[(slot << SLOT_SHIFT) + VALUE] != 0;
    }

    void drop(int slot) {
        int at = slot << SLOT_SHIFT;
        words[at] = 0;
        words[at + SPACE] = 0;
        words[at + VALUE] = 0;
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
        for (int slot = 0; slot < slots(); slot++) {
            if (holds(slot) && ((space(slot) ^ space) & compare) == 0) {
                long first = page(slot) << pageShift;
                if (coarser >= CacheSpace.ADDRESS_BITS || first >>> coarser == iova >>> coarser) {
                    drop(slot);
                }
            }
        }
    }
}

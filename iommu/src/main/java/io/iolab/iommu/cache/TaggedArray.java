package io.iolab.iommu.cache;

/**
 * A set-associative array from a space and a page number to one word, replaced first-in first-out within a set. First-in first-out
 * rather than least recently used, so that a hit writes nothing and needs no lock.
 *
 * <p>A set is a stretch of one array:
 *
 * <pre>
 *   tags: 16 bits for each way, four in a word | a bit for each empty way | the way to replace next | ways: page number, space, value
 * </pre>
 *
 * <p>A look-up compares the tags of four ways at once, and branches on no single way: which of them holds what is sought is as good as
 * random, and a processor that guesses it wrong loses more than the look-up takes. A tag only says where to look; what counts is the
 * key. A value of 0 is an empty way, whatever its tag.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes while it is odd.
 */
final class TaggedArray {
    private static final int WAY_WORDS = 3;
    private static final int SPACE = 1;
    private static final int VALUE = 2;

    private static final int TAG_BITS = 16;
    private static final int TAGS_SHIFT = 2;
    private static final int TAGS = 1 << TAGS_SHIFT;
    private static final long TAG = 0xFFFF;
    /** 1 in each of four tags. */
    private static final long ONES = 0x0001_0001_0001_0001L;

    private static final long SIGNS = ONES << TAG_BITS - 1;

    /** The layout of up to four ways: {@link #tagWords} is 1, and a set has 16 words. */
    private static final int SMALL_SHIFT = 4;

    private static final int SMALL_VICTIM = 2;
    private static final int SMALL_HEADER = 3;

    private final int ways;
    private final int tagWords;
    /** Where the ways of a set begin. */
    private final int header;

    private final int setMask;
    private final int setBits;
    /** Words of a set, a power of two. */
    private final int setShift;

    private final long[] words;
    private int occupied;

    TaggedArray(CacheGeometry geometry) {
        int sets = Math.max(1, geometry.sets());
        setMask = sets - 1;
        setBits = Integer.numberOfTrailingZeros(sets);
        ways = geometry.ways();
        tagWords = Math.max(1, (ways + TAGS - 1) / TAGS);
        header = tagWords + 2;
        int setWords = header + tagWords * TAGS * WAY_WORDS;
        setShift = Integer.SIZE - Integer.numberOfLeadingZeros(setWords - 1);
        words = new long[sets << setShift];
        for (int set = 0; set < words.length; set += 1 << setShift) {
            words[set + tagWords] = ways == 0 ? 0 : -1L >>> Long.SIZE - ways;
        }
    }

    boolean isEmpty() {
        return occupied == 0;
    }

    /** Values that there is room for. */
    int capacity() {
        return (setMask + 1) * ways;
    }

    /** Set, and tag above it. */
    private static long hash(long space, long page) {
        return page ^ space ^ space >>> CacheSpace.PASID_SHIFT;
    }

    private int setOf(long hash) {
        return ((int) hash & setMask) << setShift;
    }

    private long tagOf(long hash) {
        return hash >>> setBits & TAG;
    }

    /** The value under this key, or 0. */
    long find(long space, long page) {
        long hash = hash(space, page);
        long wanted = tagOf(hash) * ONES;
        if (tagWords != 1) {
            return findAmongMany(setOf(hash), wanted, space, page);
        }
        int set = smallSetOf(hash);
        return anyEqual(words[set], wanted) ? among(set + SMALL_HEADER, space, page) : 0;
    }

    private int smallSetOf(long hash) {
        return (int) hash << SMALL_SHIFT & words.length - (1 << SMALL_SHIFT);
    }

    private long findAmongMany(int set, long wanted, long space, long page) {
        for (int word = 0; word < tagWords; word++) {
            if (anyEqual(words[set + word], wanted)) {
                long value = among(set + header + word * TAGS * WAY_WORDS, space, page);
                if (value != 0) {
                    return value;
                }
            }
        }
        return 0;
    }

    /** Whether one of four tags is the one wanted four times. */
    private static boolean anyEqual(long tags, long wanted) {
        long difference = tags ^ wanted;
        // Of numbers with a clear sign only 0 gets it from a subtraction of 1; a borrow comes from such a 0 alone.
        return (difference - ONES & ~difference & SIGNS) != 0;
    }

    /** The value under this key among four ways, or 0. */
    private long among(int at, long space, long page) {
        return valueIf(at, space, page)
                | valueIf(at + WAY_WORDS, space, page)
                | valueIf(at + 2 * WAY_WORDS, space, page)
                | valueIf(at + 3 * WAY_WORDS, space, page);
    }

    /** The value of a way if it is under this key, or 0, without a branch. */
    private long valueIf(int at, long space, long page) {
        long difference = words[at] ^ page | words[at + SPACE] ^ space;
        // Only 0 has a sign that a subtraction of 1 brings out.
        return words[at + VALUE] & (difference - 1 & ~difference) >> Long.SIZE - 1;
    }

    /**
     * Enters a value, in place of the one that is there under this key.
     *
     * @param value not 0
     */
    void fill(long space, long page, long value) {
        int first = setOf(hash(space, page)) + header;
        for (int at = first; at < first + ways * WAY_WORDS; at += WAY_WORDS) {
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
        long hash = hash(space, page);
        if (tagWords == 1 && words[smallSetOf(hash) + 1] == 0) {
            replaceInSmall(hash, space, page, value);
            return;
        }
        int set = setOf(hash);
        long empty = words[set + tagWords];
        int way;
        if (empty == 0) {
            way = (int) words[set + tagWords + 1];
            words[set + tagWords + 1] = way + 1 == ways ? 0 : way + 1;
        } else {
            way = Long.numberOfTrailingZeros(empty);
            words[set + tagWords] = empty & empty - 1;
            occupied++;
        }
        int at = set + header + way * WAY_WORDS;
        words[at] = page;
        words[at + SPACE] = space;
        words[at + VALUE] = value;
        setTag(set + (way >>> TAGS_SHIFT), way & TAGS - 1, tagOf(hash));
    }

    /** The common case of {@link #add}: a full set of up to four ways. */
    private void replaceInSmall(long hash, long space, long page, long value) {
        int set = smallSetOf(hash);
        int way = (int) words[set + SMALL_VICTIM];
        words[set + SMALL_VICTIM] = way + 1 == ways ? 0 : way + 1;
        int at = set + SMALL_HEADER + way * WAY_WORDS;
        words[at] = page;
        words[at + SPACE] = space;
        words[at + VALUE] = value;
        setTag(set, way, tagOf(hash));
    }

    /** @param lane 0 to 3 */
    private void setTag(int at, int lane, long tag) {
        int shift = lane * TAG_BITS;
        words[at] = words[at] & ~(TAG << shift) | tag << shift;
    }

    private void drop(int set, int way) {
        int at = set + header + way * WAY_WORDS;
        words[at] = 0;
        words[at + SPACE] = 0;
        words[at + VALUE] = 0;
        words[set + tagWords] |= 1L << way;
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
        for (int set = 0; set < words.length; set += 1 << setShift) {
            for (int way = 0; way < ways; way++) {
                int at = set + header + way * WAY_WORDS;
                if (words[at + VALUE] != 0
                        && ((words[at + SPACE] ^ space) & compare) == 0
                        && meets(words[at] << pageShift, iova, Math.max(pageShift, blockShift))) {
                    drop(set, way);
                }
            }
        }
    }

    private static boolean meets(long first, long iova, int coarser) {
        return coarser >= CacheSpace.ADDRESS_BITS || first >>> coarser == iova >>> coarser;
    }
}

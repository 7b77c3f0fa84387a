package io.iolab.iommu.cache;

/**
 * Translations by domain and page, of all three page sizes in one set-associative array, replaced in the order of arrival within
 * a set. First-in first-out rather than least recently used, so that a hit writes nothing and needs no lock. Entries stay until
 * they are invalidated or replaced, whatever happens in memory.
 *
 * <p>An entry is two longs. The tag is the whole key: page number (45 bits: an address has at most 57), domain (16), size (2),
 * valid (1). The set is chosen by page number and domain, so a look-up probes one set for each size of which there are entries.
 *
 * <p>With caching mode an absent page is kept as well, as a 4 KiB entry without rights.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes under the unit's lock.
 */
public final class Iotlb {
    private static final long VALID = 1;
    private static final int SIZE_SHIFT = 1;
    private static final int DOMAIN_SHIFT = 3;
    private static final int PAGE_SHIFT = 19;
    private static final int SIZES = 3;
    private static final long RIGHTS = 3;

    private final int sets;
    private final int ways;
    private final CacheVersion version;
    private final long[] tags;
    /** Host frame and, in the low two bits, rights. */
    private final long[] pages;

    private final byte[] victims;
    private final int[] entriesOfSize = new int[SIZES];

    /** @param sets a power of two */
    public Iotlb(int sets, int ways, CacheVersion version) {
        this.sets = sets;
        this.ways = ways;
        this.version = version;
        tags = new long[sets * ways];
        pages = new long[sets * ways];
        victims = new byte[sets];
    }

    private static int shift(int size) {
        return 12 + 9 * size;
    }

    private static long tag(int domain, long iova, int size) {
        return iova >>> shift(size) << PAGE_SHIFT | (long) domain << DOMAIN_SHIFT | (long) size << SIZE_SHIFT | VALID;
    }

    private int set(long tag) {
        return (int) (tag >>> PAGE_SHIFT ^ tag >>> DOMAIN_SHIFT) & sets - 1;
    }

    /**
     * The slot that translates {@code iova} for this domain, or -1.
     *
     * @param iova below 2^57
     */
    public int find(int domain, long iova) {
        for (int size = 0; size < SIZES; size++) {
            if (entriesOfSize[size] != 0) {
                long tag = tag(domain, iova, size);
                int slot = set(tag) * ways;
                for (int end = slot + ways; slot < end; slot++) {
                    if (tags[slot] == tag) {
                        return slot;
                    }
                }
            }
        }
        return -1;
    }

    /** Where {@code iova} lies in host memory, by an entry that translates it. */
    public long hpa(int slot, long iova) {
        long offset = iova & (1L << shift((int) (tags[slot] >>> SIZE_SHIFT) & 3)) - 1;
        return pages[slot] & ~RIGHTS | offset;
    }

    /** Read (1) and write (2); 0 for a page that is known to be absent. */
    public int rights(int slot) {
        return (int) (pages[slot] & RIGHTS);
    }

    /**
     * @param pageShift 12, 21 or 30
     * @param frameHpa aligned to the page
     */
    public void fill(int domain, long iova, int pageShift, long frameHpa, int rights) {
        int size = (pageShift - 12) / 9;
        long tag = tag(domain, iova, size);
        int slot = freeSlot(set(tag));
        version.beginChange();
        drop(slot);
        tags[slot] = tag;
        pages[slot] = frameHpa | rights;
        entriesOfSize[size]++;
        version.endChange();
    }

    private int freeSlot(int set) {
        for (int way = 0; way < ways; way++) {
            if (tags[set * ways + way] == 0) {
                return set * ways + way;
            }
        }
        int way = victims[set];
        victims[set] = (byte) (way + 1 == ways ? 0 : way + 1);
        return set * ways + way;
    }

    private void drop(int slot) {
        if (tags[slot] != 0) {
            entriesOfSize[(int) (tags[slot] >>> SIZE_SHIFT) & 3]--;
            tags[slot] = 0;
        }
    }

    public void invalidateAll() {
        version.beginChange();
        for (int slot = 0; slot < tags.length; slot++) {
            drop(slot);
        }
        version.endChange();
    }

    public void invalidateDomain(int domain) {
        invalidatePages(domain, 0, 64);
    }

    /**
     * Drops every entry of the domain that translates an address in the naturally aligned block of 2^{@code blockShift} bytes
     * around {@code iova}; 64 and above means all of them. A large page goes when the block touches it.
     */
    public void invalidatePages(int domain, long iova, int blockShift) {
        version.beginChange();
        for (int slot = 0; slot < tags.length; slot++) {
            long tag = tags[slot];
            if (tag != 0 && (int) (tag >>> DOMAIN_SHIFT & 0xFFFF) == domain) {
                int shift = shift((int) (tag >>> SIZE_SHIFT) & 3);
                int coarser = Math.max(shift, blockShift);
                if (coarser >= 64 || (tag >>> PAGE_SHIFT << shift) >>> coarser == iova >>> coarser) {
                    drop(slot);
                }
            }
        }
        version.endChange();
    }
}

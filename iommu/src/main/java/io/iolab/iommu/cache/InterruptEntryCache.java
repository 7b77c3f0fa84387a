package io.iolab.iommu.cache;

/**
 * Interrupt-remapping table entries by index: set-associative, replaced in the order of arrival within a set (VT-d 6.4). Entries stay
 * until they are invalidated or replaced, whatever happens in memory. With caching mode the unit also keeps entries that are
 * absent: their P bit is clear.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes under the unit's lock.
 */
public final class InterruptEntryCache {
    private static final int EMPTY = -1;

    private final int sets;
    private final int ways;
    private final CacheVersion version = new CacheVersion();
    private final int[] indices;
    private final long[] lows;
    private final long[] highs;
    private final byte[] victims;

    public InterruptEntryCache(CacheGeometry geometry) {
        sets = geometry.sets();
        ways = geometry.ways();
        indices = new int[geometry.entries()];
        java.util.Arrays.fill(indices, EMPTY);
        lows = new long[geometry.entries()];
        highs = new long[geometry.entries()];
        victims = new byte[sets];
    }

    /** Of this cache alone: it changes with each entry. */
    public CacheVersion version() {
        return version;
    }

    /** The slot of this entry, or -1. */
    public int find(int index) {
        int slot = (index & sets - 1) * ways;
        for (int end = slot + ways; slot < end; slot++) {
            if (indices[slot] == index) {
                return slot;
            }
        }
        return -1;
    }

    public long low(int slot) {
        return lows[slot];
    }

    public long high(int slot) {
        return highs[slot];
    }

    /** Keeps an entry that is not there yet. */
    public void fill(int index, long low, long high) {
        int slot = freeSlot(index & sets - 1);
        version.beginChange();
        indices[slot] = index;
        lows[slot] = low;
        highs[slot] = high;
        version.endChange();
    }

    private int freeSlot(int set) {
        for (int way = 0; way < ways; way++) {
            if (indices[set * ways + way] == EMPTY) {
                return set * ways + way;
            }
        }
        int way = victims[set];
        victims[set] = (byte) (way + 1 == ways ? 0 : way + 1);
        return set * ways + way;
    }

    public void invalidateAll() {
        version.beginChange();
        java.util.Arrays.fill(indices, EMPTY);
        version.endChange();
    }

    /** Drops the naturally aligned block of 2 to the power of {@code mask} entries around {@code index}. */
    public void invalidate(int index, int mask) {
        version.beginChange();
        for (int slot = 0; slot < indices.length; slot++) {
            if (indices[slot] != EMPTY && indices[slot] >>> mask == index >>> mask) {
                indices[slot] = EMPTY;
            }
        }
        version.endChange();
    }
}

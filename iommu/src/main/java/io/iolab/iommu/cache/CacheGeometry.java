package io.iolab.iommu.cache;

/**
 * How many entries a cache holds, and how they are found: {@code ways} places in the set that the key chooses. Replacement is
 * first-in first-out within a set. {@link #NONE} is a unit without the cache.
 *
 * @param sets a power of two up to 65536, or 0 for no cache
 * @param ways 1 to 64, or 0 for no cache
 */
public record CacheGeometry(int sets, int ways) {
    public static final CacheGeometry NONE = new CacheGeometry(0, 0);

    /** @throws IllegalArgumentException if a number is out of its range */
    public CacheGeometry {
        boolean none = sets == 0 && ways == 0;
        if (!none && (sets < 1 || sets > 1 << 16 || Integer.bitCount(sets) != 1 || ways < 1 || ways > 64)) {
            throw new IllegalArgumentException("a cache of " + sets + " sets and " + ways + " ways");
        }
    }

    public int entries() {
        return sets * ways;
    }

    /** The same, for a cache that no unit can do without. */
    public CacheGeometry required() {
        if (sets == 0) {
            throw new IllegalArgumentException("a unit cannot do without this cache");
        }
        return this;
    }
}

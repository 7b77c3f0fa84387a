package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/**
 * A second-level paging entry: 8 bytes, 512 in a page (VT-d 9.8). Level 1 maps 4 KiB; levels 2 and 3 map 2 MiB and 1 GiB where
 * PS is set and the unit offers it.
 */
public final class SecondLevelEntry {
    public static final int BYTES = 8;
    public static final int READ = 1;
    public static final int WRITE = 2;

    /** PS. */
    public static final long PAGE_SIZE_BIT = 1L << 7;

    /** A and D, where the PASID entry enables them. */
    public static final long ACCESSED = 1L << 8;

    public static final long DIRTY = 1L << 9;

    /** SNP of a leaf: reserved while snoop control (ECAP.SC) is not offered, and in every other entry. */
    public static final long SNOOP = 1L << 11;

    /** TM of old revisions. */
    private static final long TRANSIENT = 1L << 62;

    /** Address bits of an entry, before the host's width cuts them. */
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private SecondLevelEntry() {}

    /** Bits of the address below the part that {@code level} translates: 12, 21, 30, ... */
    public static int shift(int level) {
        return 12 + 9 * (level - 1);
    }

    /** @param tableHpa page-aligned */
    public static long hpa(long tableHpa, long iova, int level) {
        return tableHpa + (iova >>> shift(level) & 0x1FF) * BYTES;
    }

    /** {@link #READ} and {@link #WRITE}; none means not present. */
    public static int rights(long entry) {
        return (int) entry & 3;
    }

    /** Whether the walk ends here, reserved bits aside. */
    public static boolean leaf(long entry, int level) {
        return level == 1 || (entry & PAGE_SIZE_BIT) != 0;
    }

    /** The next table, or the page that a leaf maps. */
    public static long address(long entry) {
        return entry & ADDRESS;
    }

    /**
     * Bits that must be 0. PS is reserved at level 4 and above and where the size is not offered; a large page's low address bits are
     * too.
     *
     * @param leaf whether PS is set, or the level is 1
     */
    public static long reserved(int level, boolean leaf, Capabilities capabilities) {
        long reserved = TRANSIENT | ADDRESS & ~capabilities.hostAddressMask();
        reserved |= leaf && capabilities.snoopControl() ? 0 : SNOOP;
        if (leaf && level > 1) {
            boolean offered = level == 2 && capabilities.largePages2M() || level == 3 && capabilities.largePages1G();
            reserved |= offered ? (1L << shift(level)) - 1 & ADDRESS : PAGE_SIZE_BIT;
        }
        return reserved;
    }
}

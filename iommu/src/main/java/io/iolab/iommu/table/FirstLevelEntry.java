package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/** A first-level paging entry: 8 bytes, the format of the processor's 4- and 5-level paging (VT-d 9.7). */
public final class FirstLevelEntry {
    public static final int BYTES = 8;
    public static final long WRITE = 1 << 1;
    public static final long USER = 1 << 2;
    public static final long ACCESSED = 1 << 5;
    public static final long DIRTY = 1 << 6;
    public static final long PAGE_SIZE = 1 << 7;
    public static final long EXTENDED_ACCESSED = 1 << 10;
    public static final long NO_EXECUTE = 1L << 63;

    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private FirstLevelEntry() {}

    public static boolean present(long entry) {
        return (entry & 1) != 0;
    }

    public static boolean leaf(long entry, int level) {
        return level == 1 || (entry & PAGE_SIZE) != 0;
    }

    /** The next table, or the page that a 4 KiB leaf maps. */
    public static long address(long entry) {
        return entry & ADDRESS;
    }

    /** The page that a leaf of this level maps: below 2 MiB and 1 GiB lies PAT, which is no address bit. */
    public static long frame(long entry, int level) {
        return entry & ADDRESS & -(1L << SecondLevelEntry.shift(level));
    }

    /**
     * Bits that must be 0 in a present entry.
     *
     * @param leaf whether PS is set, or the level is 1
     * @param nested whether addresses are guest physical, which have a check of their own
     * @param noExecute NXE
     */
    public static long reserved(int level, boolean leaf, boolean nested, boolean noExecute, Capabilities capabilities) {
        long reserved = nested ? 0 : ADDRESS & ~capabilities.hostAddressMask();
        reserved |= noExecute ? 0 : NO_EXECUTE;
        if (leaf && level > 1) {
            boolean offered = level == 2 || level == 3 && capabilities.firstLevel1G();
            // Bit 12 is PAT.
            reserved |= offered ? (1L << SecondLevelEntry.shift(level)) - 1 & ~0x1FFFL : PAGE_SIZE;
        }
        return reserved;
    }
}

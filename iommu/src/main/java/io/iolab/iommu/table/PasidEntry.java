package io.iolab.iommu.table;

import io.iolab.iommu.register.Capabilities;

/**
 * A PASID table entry: 64 bytes, 64 in a page, indexed by PASID 5:0 (VT-d 9.6). Words are its qwords 0 to 2; the other five are
 * reserved.
 */
public final class PasidEntry {
    public static final int BYTES = 64;
    public static final int WORDS = 8;

    /** PGTT. */
    public static final int TYPE_FIRST_LEVEL = 1;

    public static final int TYPE_SECOND_LEVEL = 2;
    public static final int TYPE_NESTED = 3;
    public static final int TYPE_PASS_THROUGH = 4;

    private static final long SECOND_LEVEL_ACCESSED_DIRTY = 1L << 9;
    private static final long RESERVED_0 = 0xC00;
    private static final long PAGE_WALK_SNOOP = 1L << 23;
    private static final long PAGE_SNOOP = 1L << 24;
    private static final long RESERVED_1 = 0x007F_0000L;
    private static final long SUPERVISOR = 1;
    private static final long EXECUTE = 1L << 1;
    private static final long WRITE_PROTECT = 1L << 4;
    private static final long NO_EXECUTE = 1L << 5;
    private static final long SUPERVISOR_EXECUTE_PREVENTION = 1L << 6;
    private static final long EXTENDED_ACCESSED = 1L << 7;
    private static final long RESERVED_2 = 0xF00;

    private PasidEntry() {}

    /** @param tableHpa page-aligned */
    public static long hpa(long tableHpa, int pasid) {
        return tableHpa + (long) (pasid & 0x3F) * BYTES;
    }

    public static boolean present(long word0) {
        return (word0 & 1) != 0;
    }

    /** FPD. */
    public static boolean faultsDisabled(long word0) {
        return (word0 & 2) != 0;
    }

    /** AW of the second-level table, coded as in legacy mode. */
    public static int addressWidthCode(long word0) {
        return (int) (word0 >>> 2) & 7;
    }

    /** PGTT. */
    public static int type(long word0) {
        return (int) (word0 >>> 6) & 7;
    }

    /** SLADE: second-level entries have accessed and dirty bits. */
    public static boolean secondLevelAccessedDirty(long word0) {
        return (word0 & SECOND_LEVEL_ACCESSED_DIRTY) != 0;
    }

    public static long secondLevelTable(long word0, Capabilities capabilities) {
        return word0 & capabilities.hostAddressMask() & ~0xFFFL;
    }

    public static int domain(long word1) {
        return (int) word1 & 0xFFFF;
    }

    /** PWSNP: walks snoop, which makes updates of accessed and dirty bits possible on a unit whose walks do not by themselves. */
    public static boolean pageWalkSnoop(long word1) {
        return (word1 & PAGE_WALK_SNOOP) != 0;
    }

    /** PGSNP: requests to pages snoop. */
    public static boolean pageSnoop(long word1) {
        return (word1 & PAGE_SNOOP) != 0;
    }

    /** SRE: requests with supervisor privilege are allowed. */
    public static boolean supervisorRequests(long word2) {
        return (word2 & SUPERVISOR) != 0;
    }

    /** ERE: requests that ask to execute are allowed. */
    public static boolean executeRequests(long word2) {
        return (word2 & EXECUTE) != 0;
    }

    /** Levels of the first-level table, by FLPM: 4 or 5, or 0 where FLPM is reserved. */
    public static int firstLevels(long word2) {
        int mode = (int) (word2 >>> 2) & 3;
        return mode > 1 ? 0 : 4 + mode;
    }

    /** WPE: supervisor writes obey R/W of first-level entries. */
    public static boolean writeProtect(long word2) {
        return (word2 & WRITE_PROTECT) != 0;
    }

    /** NXE: bit 63 of a first-level entry is XD, and reserved otherwise. */
    public static boolean noExecute(long word2) {
        return (word2 & NO_EXECUTE) != 0;
    }

    /** SMEP. */
    public static boolean supervisorExecutePrevention(long word2) {
        return (word2 & SUPERVISOR_EXECUTE_PREVENTION) != 0;
    }

    /** EAFE: first-level entries have an extended accessed flag. */
    public static boolean extendedAccessed(long word2) {
        return (word2 & EXTENDED_ACCESSED) != 0;
    }

    /** Host physical; guest physical where nested. */
    public static long firstLevelTable(long word2) {
        return word2 & 0x000F_FFFF_FFFF_F000L;
    }

    /** Fields of functions that the unit does not offer are reserved; so are domain id bits beyond CAP.ND. */
    public static boolean reservedSet(long word0, long word1, long word2, Capabilities capabilities) {
        long reserved0 = ~capabilities.hostAddressMask() | RESERVED_0;
        reserved0 |= capabilities.secondLevelAccessedDirty() ? 0 : SECOND_LEVEL_ACCESSED_DIRTY;
        long reserved1 = RESERVED_1 | 0xFFFFL << capabilities.domainIdBits() & 0xFFFF;
        reserved1 |= capabilities.snoopControl() ? 0 : PAGE_WALK_SNOOP | PAGE_SNOOP;
        long reserved2 = RESERVED_2;
        reserved2 |= type(word0) == TYPE_NESTED ? ~((1L << 52) - 1) : ~capabilities.hostAddressMask();
        reserved2 |= capabilities.supervisorRequests() ? 0 : SUPERVISOR;
        reserved2 |= capabilities.executeRequests() ? 0 : EXECUTE;
        reserved2 |= capabilities.extendedAccessed() ? 0 : EXTENDED_ACCESSED;
        return (word0 & reserved0) != 0 || (word1 & reserved1) != 0 || (word2 & reserved2) != 0;
    }

    /** Whether PGTT, AW and FLPM are ones that this unit offers. AW counts for pass-through too. */
    public static boolean valid(long word0, long word2, Capabilities capabilities) {
        boolean secondLevel = capabilities.supportsWidth(addressWidthCode(word0));
        boolean firstLevel = capabilities.firstLevel()
                && (firstLevels(word2) == 4 || firstLevels(word2) == 5 && capabilities.firstLevel5());
        return switch (type(word0)) {
            case TYPE_FIRST_LEVEL -> firstLevel;
            case TYPE_SECOND_LEVEL -> capabilities.secondLevel() && secondLevel;
            case TYPE_NESTED -> capabilities.nested() && secondLevel && firstLevel;
            case TYPE_PASS_THROUGH -> capabilities.passThrough() && secondLevel;
            default -> false;
        };
    }
}

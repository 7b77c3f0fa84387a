package io.iolab.iommu;

import io.iolab.devices.memory.Memory;

/**
 * Scalable-mode structures written word by word (VT-d 9.2, 9.4 to 9.8): one bus, one device, one PASID table. {@link #build} makes
 * {@link #IOVA} lead to {@link #PAGE} through the kind of table that is asked for; a test then spoils what it is about.
 */
final class ScalableTables {
    static final int FIRST = 1;
    static final int SECOND = 2;
    static final int NESTED = 3;
    static final int PASS = 4;

    /** 00:04.0 */
    static final int RID = 0x0020;

    static final int PASID = 5;
    static final int RID_PASID = 3;
    static final int DOMAIN = 7;

    static final long ROOT = 0x1_0000;
    static final long CONTEXT = 0x1_1000;
    static final long DIRECTORY = 0x1_2000;
    static final long PASIDS = 0x1_3000;
    static final long SECOND4 = 0x1_4000;
    static final long SECOND3 = 0x1_5000;
    static final long SECOND2 = 0x1_6000;
    static final long SECOND1 = 0x1_7000;
    static final long FIRST4 = 0x1_8000;
    static final long FIRST3 = 0x1_9000;
    static final long FIRST2 = 0x1_A000;
    static final long FIRST1 = 0x1_B000;
    static final long PAGE = 0x20_0000;

    /** Indices 1, 2, 3, 4 from the top. */
    static final long IOVA = 1L << 39 | 2L << 30 | 3L << 21 | 4L << 12;

    static final long CONTEXT_ENTRY = CONTEXT + 32 * 0x20;
    static final long ENTRY = PASIDS + 64 * PASID;
    static final long RID_ENTRY = PASIDS + 64 * RID_PASID;
    static final long SECOND_TOP = SECOND4 + 8;
    static final long SECOND_LEAF = SECOND1 + 32;
    static final long FIRST_TOP = FIRST4 + 8;
    static final long FIRST_MIDDLE = FIRST2 + 24;
    static final long FIRST_LEAF = FIRST1 + 32;

    /** Guest physical 0 to 4 MiB as it is, as two pages of 2 MiB: tables and page of the nested case. */
    private static final long IDENTITY4 = 0x1_C000;

    static final long IDENTITY_TABLES = IDENTITY4 + 0x2000;
    static final long IDENTITY_PAGE = IDENTITY4 + 0x2008;

    private ScalableTables() {}

    static RemappingOptions.Builder options() {
        return RemappingOptions.builder()
                .addressWidths(39, 48, 57)
                .scalableMode(true)
                .secondLevel(true)
                .firstLevel(true)
                .firstLevelExtras(true, true)
                .nested(true)
                .secondLevelAccessedDirty(true)
                .extendedAccessed(true)
                .pasidBits(20)
                .privilegedRequests(true, true)
                .deviceTlb(true)
                .noWriteFlag(true)
                .pageRequests(true);
    }

    static void build(Memory memory, int type) {
        memory.writeLong(ROOT, CONTEXT | 1);
        // DTE, PASIDE, PRE; a directory of 128 entries.
        memory.writeLong(CONTEXT_ENTRY, DIRECTORY | 0x1D);
        memory.writeLong(CONTEXT_ENTRY + 8, RID_PASID);
        memory.writeLong(DIRECTORY, PASIDS | 1);
        for (long entry : new long[] {ENTRY, RID_ENTRY}) {
            long second = type == NESTED ? IDENTITY4 : SECOND4;
            memory.writeLong(entry, second | (long) type << 6 | 2 << 2 | 1);
            memory.writeLong(entry + 8, DOMAIN);
            // SRE, ERE, WPE, NXE.
            memory.writeLong(entry + 16, FIRST4 | 0x33);
        }
        chain(memory, SECOND4, 3);
        chain(memory, FIRST4, 7);
        memory.writeLong(IDENTITY4, IDENTITY4 + 0x1000 | 3);
        memory.writeLong(IDENTITY4 + 0x1000, IDENTITY4 + 0x2000 | 3);
        memory.writeLong(IDENTITY_TABLES, 0x83);
        memory.writeLong(IDENTITY_PAGE, PAGE | 0x83);
    }

    private static void chain(Memory memory, long top, long rights) {
        for (int level = 0; level < 3; level++) {
            memory.writeLong(top + 0x1000L * level + 8 * (level + 1), top + 0x1000L * (level + 1) | rights);
        }
        memory.writeLong(top + 0x3000 + 32, PAGE | rights);
    }

    static Bench bench(RemappingOptions options, int type) {
        Bench bench = new Bench(options);
        build(bench.memory, type);
        bench.setRoot(ROOT | 1 << 10);
        bench.translation(true);
        return bench;
    }
}

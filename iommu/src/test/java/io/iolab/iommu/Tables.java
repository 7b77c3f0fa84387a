package io.iolab.iommu;

import io.iolab.devices.memory.Memory;

/**
 * Translation structures written word by word (VT-d 9.1, 9.3, 9.8): one bus, one context table, a four-level table for one device.
 * {@link #build} makes {@link #IOVA} lead to {@link #PAGE}; a test then spoils what it is about.
 */
final class Tables {
    static final long ROOT = 0x1_0000;
    static final long CONTEXT = 0x1_1000;
    static final long LEVEL4 = 0x1_2000;
    static final long LEVEL3 = 0x1_3000;
    static final long LEVEL2 = 0x1_4000;
    static final long LEVEL1 = 0x1_5000;
    static final long PAGE = 0x20_0000;

    /** 00:04.0 */
    static final int RID = 0x0020;

    static final int DOMAIN = 7;

    /** Indices 1, 2, 3, 4 from the top. */
    static final long IOVA = 1L << 39 | 2L << 30 | 3L << 21 | 4L << 12;

    static final long ROOT_ENTRY = ROOT;
    static final long CONTEXT_ENTRY = CONTEXT + 16 * 0x20;
    static final long ENTRY4 = LEVEL4 + 8;
    static final long ENTRY3 = LEVEL3 + 16;
    static final long ENTRY2 = LEVEL2 + 24;
    static final long ENTRY1 = LEVEL1 + 32;

    private Tables() {}

    static long contextHigh(int addressWidthCode, int domain) {
        return (long) domain << 8 | addressWidthCode;
    }

    static void build(Memory memory) {
        memory.writeLong(ROOT_ENTRY, CONTEXT | 1);
        context(memory, RID, 0, 2, DOMAIN, LEVEL4);
        memory.writeLong(ENTRY4, LEVEL3 | 3);
        memory.writeLong(ENTRY3, LEVEL2 | 3);
        memory.writeLong(ENTRY2, LEVEL1 | 3);
        memory.writeLong(ENTRY1, PAGE | 3);
    }

    static void context(Memory memory, int rid, int type, int addressWidthCode, int domain, long tableHpa) {
        long entry = CONTEXT + 16L * (rid & 0xFF);
        memory.writeLong(entry + 8, contextHigh(addressWidthCode, domain));
        memory.writeLong(entry, tableHpa | (long) type << 2 | 1);
    }

    /** A bench with these tables in force and translation on. */
    static Bench bench(RemappingOptions options) {
        Bench bench = new Bench(options);
        build(bench.memory);
        bench.setRoot(ROOT);
        bench.translation(true);
        return bench;
    }
}

package io.iolab.vmm.bench;

import io.iolab.devices.memory.PhysicalMemory;

/**
 * Tables of scalable mode for one requester, written word by word (VT-d 9.2, 9.4 to 9.8), since a driver of the host makes no nested
 * ones: a first-level table with pages of 4 KiB and, nested, a second-level table below it that maps guest physical memory as it is,
 * in pages of 4 KiB too, so that every access of the walk takes four more.
 */
final class RemappingTables {
    static final int FIRST_LEVEL = 1;
    static final int NESTED = 3;

    private static final int PAGE = 4096;
    private static final int ENTRIES = 512;
    private static final long SECOND_LEVEL_TABLE = 3;
    /** Present, writable, user, accessed, dirty: no walk has anything to set. */
    private static final long FIRST_LEVEL_ENTRY = 0x67;
    /** AW for four levels, P. */
    private static final long FOUR_LEVELS_PRESENT = 2 << 2 | 1;

    private final PhysicalMemory memory;
    private final long base;
    private long next;

    /** @param base where tables begin; all of it up to the data may be used */
    RemappingTables(PhysicalMemory memory, long base) {
        this.memory = memory;
        this.base = base;
        this.next = base;
    }

    long rootTable() {
        return base;
    }

    long secondLevelTable() {
        return base + 4 * PAGE;
    }

    long firstLevelTable() {
        return base + 5 * PAGE;
    }

    /**
     * @param rid function 00 to 0F.7 of its bus: the lower half of it
     * @param kind {@link #FIRST_LEVEL} or {@link #NESTED}, of the PASID entry's PGTT
     * @param pages how many, from {@code iova}, are led to the {@code frames} from {@code data} on, over and over
     * @param identity bytes that the second level maps
     */
    void build(int rid, int kind, long iova, int pages, long data, int frames, long identity) {
        long root = take();
        long context = take();
        long directory = take();
        long pasids = take();
        long second = take();
        long first = take();
        memory.writeLong(root + 16 * (rid >>> 8), context | 1);
        memory.writeLong(context + 32 * (rid & 0x7F), directory | 1);
        memory.writeLong(directory, pasids | 1);
        memory.writeLong(pasids, second | (long) kind << 6 | FOUR_LEVELS_PRESENT);
        memory.writeLong(pasids + 8, 7);
        memory.writeLong(pasids + 16, first | 0x30);
        for (long gpa = 0; gpa < identity; gpa += PAGE) {
            map(second, SECOND_LEVEL_TABLE, gpa, gpa);
        }
        for (int i = 0; i < pages; i++) {
            map(first, FIRST_LEVEL_ENTRY, iova + (long) PAGE * i, data + (long) PAGE * (i % frames));
        }
    }

    private long take() {
        long table = next;
        next += PAGE;
        return table;
    }

    private void map(long top, long marks, long address, long frame) {
        long table = top;
        for (int shift = 39; shift > 12; shift -= 9) {
            long entryHpa = entryHpa(table, address, shift);
            if (memory.readLong(entryHpa) == 0) {
                memory.writeLong(entryHpa, take() | marks);
            }
            table = memory.readLong(entryHpa) & -PAGE;
        }
        memory.writeLong(entryHpa(table, address, 12), frame | marks);
    }

    private static long entryHpa(long table, long address, int shift) {
        return table + 8 * (address >>> shift & ENTRIES - 1);
    }
}

package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * Structures of both modes over one pool of page tables, with every kind of mistake in them, and changes to them. Each requester and
 * PASID has a domain of its own that never changes, since two tables under one domain would be a mistake of software's that no walk
 * can show. Data pages hold their own addresses.
 */
final class IsolationTables {
    static final long LEGACY_ROOT = 0x1_0000;
    static final long SCALABLE_ROOT = 0x1_1000;
    static final long DATA = 0x40_0000;
    static final long DATA_END = 0x80_0000;
    static final int REQUESTERS = 8;
    static final int PASIDS = 4;

    private static final long LEGACY_CONTEXT = 0x2_0000;
    private static final long SCALABLE_CONTEXT = 0x2_1000;
    private static final long DIRECTORY = 0x3_0000;
    private static final long PASID_TABLES = 0x4_0000;
    private static final long POOL = 0x10_0000;
    private static final int TABLES = 48;
    private static final long IDENTITY = 0x18_0000;
    /** Nothing is there: the bench has 12 MiB. */
    private static final long BEYOND = 0x7000_0000L;

    /** A, D and EA in both formats: set by the unit, cleared by software whenever it likes. */
    private static final long MARKS = 0x760;

    private final Memory memory;
    private final SplittableRandom random;
    private final Map<Long, Long> originals = new HashMap<>();

    IsolationTables(Memory memory, SplittableRandom random) {
        this.memory = memory;
        this.random = random;
    }

    static int rid(int requester) {
        return requester * 0x1D & 0xFF;
    }

    /** Whether a root, context or PASID entry, or an entry of a PASID directory, stands there. */
    static boolean isStructure(long hpa) {
        return hpa < POOL;
    }

    static int legacyDomain(int requester) {
        return 1 + requester;
    }

    static int pasidDomain(int requester, int pasid) {
        return 16 + requester * PASIDS + pasid;
    }

    void build() {
        memory.writeLong(LEGACY_ROOT, LEGACY_CONTEXT | 1);
        memory.writeLong(SCALABLE_ROOT, SCALABLE_CONTEXT | 1);
        memory.writeLong(SCALABLE_ROOT + 8, SCALABLE_CONTEXT + 4096 | 1);
        for (int requester = 0; requester < REQUESTERS; requester++) {
            legacyContext(requester);
            scalableContext(requester);
        }
        for (int table = 0; table < TABLES; table++) {
            for (int index = 0; index < 512; index++) {
                memory.writeLong(POOL + 4096L * table + 8L * index, entry());
            }
        }
        identity();
        for (long hpa = DATA; hpa < DATA_END; hpa += 8) {
            memory.writeLong(hpa, hpa);
        }
    }

    private void legacyContext(int requester) {
        long at = LEGACY_CONTEXT + 16L * rid(requester);
        int type = random.nextInt(12) == 0 ? random.nextInt(4) : random.nextInt(2);
        memory.writeLong(at, table() | (long) type << 2 | 1);
        memory.writeLong(at + 8, (long) legacyDomain(requester) << 8 | 1 + random.nextInt(3));
    }

    private void scalableContext(int requester) {
        int rid = rid(requester);
        long at = SCALABLE_CONTEXT + (rid >= 128 ? 4096 : 0) + 32L * (rid & 127);
        long directory = DIRECTORY + 4096L * requester;
        memory.writeLong(at, directory | 1 | (random.nextInt(8) == 0 ? 0 : 1 << 3));
        memory.writeLong(at + 8, random.nextInt(PASIDS));
        long table = PASID_TABLES + 4096L * requester;
        long spoiled = spoil(table | 1, 30);
        // Another requester's table would be sound, with the domains of that requester.
        memory.writeLong(directory, (spoiled & 0xFF_F000) == table ? spoiled : table | 1);
        for (int pasid = 0; pasid < PASIDS; pasid++) {
            pasidEntry(table + 64L * pasid, pasidDomain(requester, pasid));
        }
    }

    private void pasidEntry(long at, int domain) {
        int type = 1 + (random.nextInt(10) == 0 ? 3 : random.nextInt(3));
        long width = type == 3 ? 2 : 1 + random.nextInt(3);
        long second = type == 3 ? IDENTITY : table();
        long marks = random.nextBoolean() ? 1 << 9 : 0;
        memory.writeLong(at, second | marks | (long) type << 6 | width << 2 | (random.nextInt(12) == 0 ? 0 : 1));
        // PWSNP: without it nothing can be marked.
        memory.writeLong(at + 8, domain | (random.nextInt(4) == 0 ? 0 : 1 << 23));
        long modes = random.nextInt(256) & 0xF3 | (random.nextInt(3) == 0 ? 4 : 0);
        memory.writeLong(at + 16, table() | modes);
    }

    /** Guest memory as it is, with gaps and mistakes: the first 12 MiB, in pages of 4 KiB and 2 MiB. */
    private void identity() {
        memory.writeLong(IDENTITY, IDENTITY + 4096 | 7);
        memory.writeLong(IDENTITY + 4096, IDENTITY + 8192 | 7);
        for (int large = 0; large < 6; large++) {
            long hpa = (long) large << 21;
            boolean whole = random.nextInt(5) == 0;
            long table = IDENTITY + 0x3000 + 4096L * large;
            memory.writeLong(IDENTITY + 8192 + 8L * large, (whole ? hpa | 0x87 : table | 7) | marks());
            for (int page = 0; page < 512; page++) {
                int odds = random.nextInt(30);
                // Read-only pages have tables on them that can be walked and not be marked.
                long rights = odds == 0 ? random.nextInt(4) : odds <= 3 ? 1 : 7;
                memory.writeLong(table + 8L * page, spoil(hpa + 4096L * page | rights | marks(), 200));
            }
        }
    }

    private long table() {
        return random.nextInt(100) == 0 ? BEYOND : POOL + 4096L * random.nextInt(TABLES);
    }

    /** One bit in {@code odds} words flips on. */
    private long spoil(long word, int odds) {
        return random.nextInt(odds) == 0 ? word | 1L << random.nextInt(64) : word;
    }

    /** A table or a page in any format: R, W and U stand where P, R/W and U/S do. */
    private long entry() {
        long rights = random.nextInt(16) == 0 ? random.nextInt(8) : 7;
        long ignored = random.nextLong() & 0x3FF0_0000_0000_0018L | marks();
        long word = switch (random.nextInt(24)) {
            case 0, 1, 2 -> 0x80 | large();
            case 3 -> 0x80 | table();
            case 4 -> 0xFEE0_0000L + 4096L * random.nextInt(512);
            case 5, 6, 7, 8, 9, 10 -> DATA + 4096L * random.nextInt((int) (DATA_END - DATA >> 12));
            default -> table();
        };
        long executeDisable = random.nextInt(30) == 0 ? 1L << 63 : 0;
        return spoil(word | rights | ignored | executeDisable, 60);
    }

    /** Most entries have been used before. */
    private long marks() {
        return random.nextInt(4) == 0 ? random.nextLong() & MARKS : MARKS;
    }

    private long large() {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> 0xC000_0000L;
            case 2 -> 0xFEE0_0000L;
            default -> DATA + ((long) random.nextInt(2) << 21);
        };
    }

    /** An address that leads somewhere in the pool more often than not. */
    long iova() {
        int bits = switch (random.nextInt(16)) {
            case 0 -> 64;
            case 1 -> 57;
            case 2, 3 -> 48;
            default -> 39;
        };
        long iova = random.nextLong() >>> 64 - bits & ~7L;
        // Few pages, so that caches have something to hit.
        return random.nextInt(4) == 0 ? iova : iova & 0xFFFF_FF80_C060_7FF8L & (1L << bits) - 1;
    }

    /**
     * Changes one of the words that a walk has come by, as software would without telling anyone.
     *
     * @return where, if anything was changed
     */
    OptionalLong change(WordHistory history, List<Long> touched) {
        if (touched.isEmpty()) {
            return OptionalLong.empty();
        }
        long hpa = touched.get(random.nextInt(touched.size()));
        long word = memory.readLong(hpa);
        if (hpa >= IDENTITY) {
            // Every nested request comes by here, so it breaks seldom and heals at once.
            Long sound = originals.putIfAbsent(hpa, word);
            boolean broken = sound != null && (sound & ~MARKS) != (word & ~MARKS);
            long changed = random.nextInt(12) == 0 ? changed(hpa, word) : word & ~(random.nextLong() & MARKS);
            history.change(hpa, broken ? sound : changed);
        } else if (hpa >= POOL) {
            history.change(hpa, changed(hpa, word));
        } else {
            // Structures heal sooner than they break: behind a broken one nothing can be seen.
            Long sound = originals.putIfAbsent(hpa, word);
            if (sound != null && sound != word) {
                history.change(hpa, sound);
            } else if (random.nextInt(24) == 0) {
                history.change(hpa, structure(hpa, word));
            }
        }
        return OptionalLong.of(hpa);
    }

    private long changed(long hpa, long word) {
        return switch (random.nextInt(6)) {
            case 0, 1 -> word ^ 1L << random.nextInt(3);
            case 2 -> word & ~(random.nextLong() & MARKS);
            default -> hpa >= IDENTITY ? word ^ 0x1000 : entry();
        };
    }

    /** Another value for a word of a structure, in the same domain. */
    private long structure(long hpa, long word) {
        boolean pasidTable = hpa >= PASID_TABLES;
        boolean legacyHigh = hpa >= LEGACY_CONTEXT && hpa < SCALABLE_CONTEXT && (hpa & 8) != 0;
        boolean domainWord = pasidTable && (hpa & 63) == 8;
        // PGTT as well: the tables that a unit remembers of first-level walks mean something else in nested ones.
        boolean kindWord = pasidTable && (hpa & 63) == 0;
        long keep = legacyHigh ? 0xFF_FF00L : domainWord ? 0xFFFF : kindWord ? 0x1C0 : 0;
        boolean hasTable = hpa >= LEGACY_CONTEXT && hpa < SCALABLE_CONTEXT && (hpa & 8) == 0;
        if (hasTable && random.nextBoolean()) {
            return word & 0xFFF | table();
        }
        long flipped = word ^ 1L << random.nextInt(random.nextBoolean() ? 12 : 64);
        if (hpa < PASID_TABLES && !hasTable && ((flipped ^ word) & 0xFF_F000) != 0) {
            // What stands at another place in memory may pass for a structure, with the domain of somebody else.
            return word;
        }
        return flipped & ~keep | word & keep;
    }
}

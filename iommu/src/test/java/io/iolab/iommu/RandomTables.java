package io.iolab.iommu;

import io.iolab.devices.memory.Memory;
import java.util.SplittableRandom;

/**
 * Structures with every kind of mistake in them. All tables come from a small pool and point into it at random, so a table serves
 * at several levels; most entries are good, or walks would never get deep.
 */
final class RandomTables {
    static final long ROOT = 0x1_0000;
    static final int BUSES = 4;
    private static final long CONTEXTS = 0x2_0000;
    private static final long POOL = 0x10_0000;
    private static final int TABLES = 64;
    /** Nothing is there: the bench has 12 MiB. */
    private static final long BEYOND = 0x7000_0000L;

    private final Memory memory;
    private final SplittableRandom random;

    RandomTables(Memory memory, SplittableRandom random) {
        this.memory = memory;
        this.random = random;
    }

    void build() {
        for (int bus = 0; bus < BUSES; bus++) {
            long context = CONTEXTS + 4096L * bus;
            memory.writeLong(ROOT + 16L * bus, spoil(context | 1, 40));
            memory.writeLong(ROOT + 16L * bus + 8, random.nextInt(40) == 0 ? 1L << random.nextInt(64) : 0);
            for (int devfn = 0; devfn < 256; devfn++) {
                context(context + 16L * devfn, 1 + (bus << 3 | devfn & 7));
            }
        }
        for (int table = 0; table < TABLES; table++) {
            for (int index = 0; index < 512; index++) {
                memory.writeLong(POOL + 4096L * table + 8L * index, entry());
            }
        }
    }

    /**
     * @param domain one for each requester that a test uses (function numbers 0 to 7 of device 0): translations are cached by domain,
     *     so two tables under one id would be a mistake of software's that no walk can show
     */
    private void context(long entryHpa, int domain) {
        int type = random.nextInt(20) == 0 ? random.nextInt(4) : 0;
        int width = random.nextInt(20) == 0 ? random.nextInt(8) : 1 + random.nextInt(3);
        memory.writeLong(entryHpa, spoil(table() | (long) type << 2 | (random.nextInt(10) == 0 ? 0 : 1), 25));
        long ignored = (long) random.nextInt(16) << 3;
        long high = (long) domain << 8 | ignored | width;
        int spoiled = random.nextInt(64);
        boolean spoil = random.nextInt(25) == 0 && (spoiled < 8 || spoiled > 13);
        memory.writeLong(entryHpa + 8, spoil ? high | 1L << spoiled : high);
    }

    private long table() {
        return random.nextInt(80) == 0 ? BEYOND : POOL + 4096L * random.nextInt(TABLES);
    }

    /** One bit in {@code odds} words flips on. */
    private long spoil(long word, int odds) {
        return random.nextInt(odds) == 0 ? word | 1L << random.nextInt(64) : word;
    }

    private long entry() {
        long rights = random.nextInt(8) == 0 ? random.nextInt(4) : 3;
        long ignored = random.nextLong() & 0xBFF0_0000_0000_077CL;
        long word = switch (random.nextInt(24)) {
            case 0 -> 0x80 | large();
            case 1 -> 0x80 | table();
            case 2 -> 0xFEE0_0000L + 4096L * random.nextInt(512);
            default -> table();
        };
        return spoil(word | rights | ignored, 50);
    }

    /** Aligned for 2 MiB, sometimes for 1 GiB, sometimes over the interrupt range. */
    private long large() {
        return switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> 0xC000_0000L;
            case 2 -> 0xFEE0_0000L;
            default -> (long) random.nextInt(8) << 21;
        };
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Other requesters of a domain walk its tables without a pause, on threads of their own, while host software changes leaves and whole
 * tables and invalidates. What they had read of a table when the invalidation came must not get into the caches after it: a request that
 * begins later sees the change (VT-d 6.5.3.2: an invalidation completes when the caches hold nothing from before).
 */
class OvertakenWalkTest {
    private static final int PAGES = 8;
    private static final int WALKERS = 2;
    private static final int CHANGES = 20_000;
    private static final long FRAMES = 0x60_0000;
    private static final long SECOND_TABLE = 0x50_0000;
    private static final long SEED = 0x0E7A;

    private final SplittableRandom random = new SplittableRandom(SEED);
    private int tail;

    private static RemappingOptions options(int tableSets) {
        return ScalableTables.options()
                .iotlb(1, 2)
                .pagingStructureCache(tableSets, tableSets == 0 ? 0 : 2)
                .build();
    }

    private static Bench bench(int type, int tableSets) {
        RemappingOptions options = options(tableSets);
        if (type == 0) {
            return Tables.bench(options);
        }
        Bench bench = ScalableTables.bench(options, type);
        // DW: descriptors of 256 bits.
        bench.store64(Bench.IQA, Bench.QUEUE | 1 << 11);
        bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
        return bench;
    }

    /** Everything of the domain: by register, which is for legacy mode alone, or by queue (VT-d 6.5.1, 6.5.2.3). */
    private void invalidate(Bench bench, int type) {
        if (type == 0) {
            bench.store64(Bench.IOTLB, 1L << 63 | 2L << 60 | (long) Tables.DOMAIN << 32);
        } else {
            bench.memory.writeLong(Bench.QUEUE + tail, 2 | 2 << 4 | (long) ScalableTables.DOMAIN << 16);
            tail = tail + 32 & 0xFFF;
            bench.store32(Bench.IQT, tail);
            assertThat(bench.load32(Bench.IQH)).isEqualTo(tail);
        }
        bench.cpu.stores.clear();
    }

    /** The port of another function of the same device, through the same tables. */
    private static DmaPort port(Bench bench, int type, int function) {
        if (type == 0) {
            int rid = Tables.RID + function;
            Tables.context(bench.memory, rid, 0, 2, Tables.DOMAIN, Tables.LEVEL4);
            return bench.unit.portFor(rid);
        }
        for (int word = 0; word < 4; word++) {
            long entry = ScalableTables.CONTEXT_ENTRY + 8 * word;
            bench.memory.writeLong(entry + 32L * function, bench.memory.readLong(entry));
        }
        return bench.unit.translationPortFor(ScalableTables.RID + function).withPasid(ScalableTables.PASID, 0);
    }

    /** Frame n holds n + 1; those of the two tables differ, and so do those that a page changes between. */
    private static int frame(int table, int page, int choice) {
        return (table * PAGES + page) * 2 + choice;
    }

    private static long leaf(int frame) {
        return FRAMES + 4096L * frame | 7 | 0x60;
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 4", "1, 0", "1, 4", "2, 4", "3, 0", "3, 4"})
    void shouldNotSeeWhatAWalkReadBeforeTheInvalidation(int type, int tableSets) throws InterruptedException {
        try (Bench bench = bench(type, tableSets)) {
            boolean first = type == ScalableTables.FIRST || type == ScalableTables.NESTED;
            long upper = type == 0 ? Tables.ENTRY2 : first ? ScalableTables.FIRST_MIDDLE : ScalableTables.SECOND2 + 24;
            long firstTable = type == 0 ? Tables.LEVEL1 : first ? ScalableTables.FIRST1 : ScalableTables.SECOND1;
            long[] tables = {firstTable, SECOND_TABLE};
            long marks = bench.memory.readLong(upper) & 0xFFF | 0x20;
            if (type == ScalableTables.NESTED) {
                // The pages with the second table and the frames, as they are.
                bench.memory.writeLong(ScalableTables.IDENTITY_TABLES + 16, 0x40_0000 | 0x383);
                bench.memory.writeLong(ScalableTables.IDENTITY_TABLES + 24, 0x60_0000 | 0x383);
            }
            for (int frame = 0; frame < 4 * PAGES; frame++) {
                bench.memory.writeShort(FRAMES + 4096L * frame, (short) (frame + 1));
            }
            int[][] choices = new int[2][PAGES];
            for (int table = 0; table < 2; table++) {
                for (int page = 0; page < PAGES; page++) {
                    bench.memory.writeLong(tables[table] + 8 * page, leaf(frame(table, page, 0)));
                }
            }
            AtomicBoolean stop = new AtomicBoolean();
            AtomicLong moves = new AtomicLong();
            List<Thread> walkers = walkers(bench, type, stop, moves);
            DmaPort port = port(bench, type, 0);
            int current = 0;
            try {
                for (int i = 0; i < CHANGES || moves.get() < CHANGES; i++) {
                    int page = random.nextInt(PAGES);
                    if (random.nextInt(4) == 0) {
                        current ^= 1;
                        bench.memory.storeLongRelease(upper, tables[current] | marks);
                    } else {
                        choices[current][page] ^= 1;
                        int frame = frame(current, page, choices[current][page]);
                        bench.memory.storeLongRelease(tables[current] + 8 * page, leaf(frame));
                    }
                    invalidate(bench, type);
                    int seen = port.loadShortAcquire(iova(page), DmaKind.DESCRIPTOR);
                    assertThat(seen)
                            .as("change %d of page %d, seed %x", i, page, SEED)
                            .isEqualTo(frame(current, page, choices[current][page]) + 1);
                }
            } finally {
                stop.set(true);
                for (Thread walker : walkers) {
                    walker.join();
                }
            }
            assertThat(bench.unit.counters().blocked()).isZero();
        }
    }

    private static List<Thread> walkers(Bench bench, int type, AtomicBoolean stop, AtomicLong moves) {
        List<Thread> walkers = new ArrayList<>();
        for (int walker = 1; walker <= WALKERS; walker++) {
            DmaPort port = port(bench, type, walker);
            walkers.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; !stop.get(); i++) {
                    port.loadShortAcquire(iova(i * 5 % PAGES), DmaKind.DESCRIPTOR);
                    moves.incrementAndGet();
                }
            }));
        }
        return walkers;
    }

    private static long iova(int page) {
        return (Tables.IOVA & -(1L << 21)) + 4096L * page;
    }
}

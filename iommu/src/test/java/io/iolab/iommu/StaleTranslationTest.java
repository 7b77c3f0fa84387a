package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The promise that unmapping rests on: once an invalidation and its wait are done, no translation from before is used again, whatever
 * caches there are (VT-d 6.5.2.8, 6.5.4).
 */
class StaleTranslationTest {
    private static final long QUEUE = 0x40_0000;
    private static final long STATUS = 0x41_0000;
    private static final long FRAMES = 0x60_0000;
    private static final int PAGES = 64;
    private static final int CHANGES = 20_000;

    private final SplittableRandom random = new SplittableRandom(0x57A1E);
    private int tail;
    private int waits;

    private static RemappingOptions options(boolean cachingMode, int tables) {
        return ScalableTables.options()
                .cachingMode(cachingMode)
                .iotlb(4, 2)
                .pagingStructureCache(tables, tables == 0 ? 0 : 2)
                .build();
    }

    private void submit(Bench bench, boolean wide, long low, long high) {
        bench.memory.writeLong(QUEUE + tail, low);
        bench.memory.writeLong(QUEUE + tail + 8, high);
        tail = tail + (wide ? 32 : 16) & 4095;
        bench.store32(Bench.IQT, tail);
        bench.cpu.stores.clear();
    }

    /** One of the commands that cover a change of one leaf, then a wait with a status write. */
    private void invalidate(Bench bench, boolean scalable, boolean firstLevel, long iova) {
        long domain = (long) Tables.DOMAIN << 16;
        long leafOnly = random.nextBoolean() ? 1 << 6 : 0;
        int mask = random.nextInt(3);
        switch (random.nextInt(3)) {
            case 0 -> submit(bench, scalable, 2 | 2 << 4 | domain, 0);
            case 1 -> {
                if (firstLevel) {
                    submit(bench, scalable, 6 | 2 << 4 | domain | 5L << 32, 0);
                } else {
                    submit(bench, scalable, 2 | 1 << 4, 0);
                }
            }
            default ->
                submit(
                        bench,
                        scalable,
                        (firstLevel ? 6 | 5L << 32 : 2) | 3 << 4 | domain,
                        iova & -4096L << mask | leafOnly | mask);
        }
        waits++;
        submit(bench, scalable, 5 | 1 << 5 | (long) waits << 32, STATUS);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(waits);
    }

    @ParameterizedTest
    @CsvSource({
        "0, false, 0",
        "0, true, 0",
        "0, false, 8",
        "1, false, 0",
        "1, true, 8",
        "2, false, 8",
        "2, true, 0",
        "3, false, 0",
        "3, true, 8"
    })
    void shouldNeverUseWhatWasInvalidatedAndWaitedFor(int type, boolean cachingMode, int tables) {
        boolean scalable = type != 0;
        boolean firstLevel = type == ScalableTables.FIRST || type == ScalableTables.NESTED;
        RemappingOptions options = options(cachingMode, tables);
        try (Bench bench = scalable ? ScalableTables.bench(options, type) : Tables.bench(options)) {
            bench.store64(Bench.IQA, QUEUE | (scalable ? 1 << 11 : 0));
            bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
            for (int frame = 0; frame < PAGES; frame++) {
                bench.memory.writeShort(FRAMES + 4096L * frame, (short) (frame + 1));
            }
            if (type == ScalableTables.NESTED) {
                bench.memory.writeLong(ScalableTables.IDENTITY_PAGE + 16, FRAMES | 0x83);
            }
            long table = !scalable ? Tables.LEVEL1 : firstLevel ? ScalableTables.FIRST1 : ScalableTables.SECOND1;
            DmaPort port = scalable
                    ? bench.unit.translationPortFor(ScalableTables.RID).withPasid(ScalableTables.PASID, 0)
                    : bench.unit.portFor(Tables.RID);
            long block = Tables.IOVA & -(1L << 21);
            int[] mapped = new int[PAGES];
            for (int page = 0; page < PAGES; page++) {
                bench.memory.writeLong(table + 8 * page, 0);
                invalidate(bench, scalable, firstLevel, block + 4096L * page);
            }
            for (int i = 0; i < CHANGES; i++) {
                int page = random.nextInt(PAGES);
                int frame = random.nextInt(4) == 0 ? 0 : 1 + random.nextInt(PAGES);
                mapped[page] = frame;
                bench.memory.storeLongRelease(table + 8 * page, frame == 0 ? 0 : FRAMES + 4096L * (frame - 1) | 7);
                invalidate(bench, scalable, firstLevel, block + 4096L * page);
                for (int look = 0; look < 4; look++) {
                    int other = look == 0 ? page : random.nextInt(PAGES);
                    int seen = port.loadShortAcquire(block + 4096L * other, DmaKind.DESCRIPTOR);
                    int expected = mapped[other];
                    if (expected == 0 ? seen >= 0 : seen != expected) {
                        throw new AssertionError("change " + i + ", page " + other + ": " + seen + ", not " + expected);
                    }
                }
            }
        }
    }
}

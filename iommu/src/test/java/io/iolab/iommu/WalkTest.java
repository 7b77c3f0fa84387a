package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.fault.FaultReason;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Walks of every depth and page size (VT-d 3.7, 9.8), and the unit as a whole against {@link ReferenceWalker}. */
class WalkTest {
    private static final long TOP = 0x30_0000;

    /** Depth and leaf level; a unit that offers everything. */
    @ParameterizedTest
    @CsvSource({"3,1", "3,2", "3,3", "4,1", "4,2", "4,3", "5,1", "5,2", "5,3"})
    void shouldTranslateEveryDepthAndPageSize(int levels, int leafLevel) {
        RemappingOptions options =
                RemappingOptions.builder().addressWidths(39, 48, 57).build();
        try (Bench bench = new Bench(options)) {
            Tables.build(bench.memory);
            Tables.context(bench.memory, Tables.RID, 0, levels - 2, Tables.DOMAIN, TOP);
            long iova = 0;
            for (int level = levels; level >= leafLevel; level--) {
                long table = TOP + 4096L * (levels - level);
                int index = 2 * level + 1;
                iova |= (long) index << 12 + 9 * (level - 1);
                long leaf = 0 | (level > 1 ? 0x80 : 0);
                bench.memory.writeLong(table + 8 * index, level == leafLevel ? leaf | 3 : table + 4096 | 3);
            }
            long offset = leafLevel == 1 ? 0xABC : 0x12_3ABC;
            bench.memory.writeShort(offset, (short) 0x5AA5);
            bench.setRoot(Tables.ROOT);
            bench.translation(true);
            DmaPort port = bench.unit.portFor(Tables.RID);

            assertThat(port.loadShortAcquire(iova | offset, DmaKind.DESCRIPTOR)).isEqualTo(0x5AA5);
            assertThat(bench.unit.counters().walkAccesses())
                    .as("root, context, one entry per level")
                    .isEqualTo(2 + levels - leafLevel + 1);
            assertThat(port.loadShortAcquire(iova, DmaKind.DESCRIPTOR)).isNotNegative();
            assertThat(bench.unit.counters().iotlbMisses())
                    .as("one entry serves the whole page")
                    .isEqualTo(1);
            long pageSize = 1L << 12 + 9 * (leafLevel - 1);
            assertThat(port.loadShortAcquire(iova + pageSize, DmaKind.DESCRIPTOR))
                    .as("the page after it")
                    .isEqualTo(DmaFault.NO_READ.asResult());
            assertThat(port.loadShortAcquire(iova - 2, DmaKind.DESCRIPTOR))
                    .as("just below it")
                    .isEqualTo(DmaFault.NO_READ.asResult());
        }
    }

    @Test
    void shouldPassThroughWithoutIotlb() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            Tables.context(bench.memory, Tables.RID, 2, 2, 3, 0);
            bench.memory.writeShort(0x8000, (short) 0x1234);
            DmaPort port = bench.unit.portFor(Tables.RID);
            assertThat(port.loadShortAcquire(0x8000, DmaKind.DESCRIPTOR)).isEqualTo(0x1234);
            assertThat(port.loadShortAcquire(0x8000, DmaKind.DESCRIPTOR)).isEqualTo(0x1234);
            assertThat(bench.unit.counters().walkAccesses()).isEqualTo(2);
            assertThat(bench.unit.counters().contextHits()).isEqualTo(1);
            assertThat(bench.unit.counters().iotlbHits()).isZero();
            assertThat(bench.unit.counters().iotlbMisses()).isZero();
            assertThat(port.loadShortAcquire(1L << 40, DmaKind.DESCRIPTOR))
                    .isEqualTo(DmaFault.BEYOND_MEMORY.asResult());
            assertThat(bench.unit.counters().unbacked()).isEqualTo(1);
        }
    }

    /** Every request is one context look-up and one IOTLB look-up, whatever short cuts the implementation takes. */
    @Test
    void shouldCountEachPageRequestOnce() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            bench.memory.writeLong(Tables.ENTRY1 + 8, Tables.PAGE + 4096 | 3);
            DmaPort port = bench.unit.portFor(Tables.RID);
            byte[] buffer = new byte[8192];
            for (int i = 0; i < 10; i++) {
                assertThat(port.write(Tables.IOVA, buffer, 0, 8192, DmaKind.PAYLOAD))
                        .isEqualTo(DmaFault.NONE);
            }
            RequesterCounters counters = bench.unit.countersFor(Tables.RID);
            assertThat(counters.requests()).isEqualTo(20);
            assertThat(counters.contextMisses()).isEqualTo(1);
            assertThat(counters.contextHits()).isEqualTo(19);
            assertThat(counters.iotlbMisses()).isEqualTo(2);
            assertThat(counters.iotlbHits()).isEqualTo(18);
            assertThat(counters.bytesWritten()).isEqualTo(81_920);
            assertThat(counters.walkAccesses()).isEqualTo(2 + 4 + 4);
        }
    }

    /** One more page than the IOTLB has ways for its set: first in, first out. */
    @Test
    void shouldReplaceInOrderOfArrivalWithinSet() {
        RemappingOptions options = RemappingOptions.builder().iotlb(1, 4).build();
        try (Bench bench = Tables.bench(options)) {
            long block = Tables.IOVA & -(1L << 21);
            for (int page = 0; page < 5; page++) {
                bench.memory.writeLong(Tables.LEVEL1 + 8 * page, Tables.PAGE | 3);
            }
            DmaPort port = bench.unit.portFor(Tables.RID);
            for (int page : new int[] {0, 1, 2, 3, 0, 4, 1, 2, 3}) {
                port.loadShortAcquire(block + 4096L * page, DmaKind.DESCRIPTOR);
            }
            assertThat(bench.unit.counters().iotlbMisses()).as("0 1 2 3 and 4").isEqualTo(5);
            port.loadShortAcquire(block, DmaKind.DESCRIPTOR);
            assertThat(bench.unit.counters().iotlbMisses()).as("4 replaced 0").isEqualTo(6);
        }
    }

    private static int[] widths(List<Integer> levels) {
        return levels.stream().mapToInt(level -> 12 + 9 * level).toArray();
    }

    @ParameterizedTest
    @CsvSource({
        "1, '3', 39, 46, 16, true, true, true",
        "2, '4', 48, 46, 16, true, false, true",
        "3, '3 4', 45, 40, 8, true, true, false",
        "4, '3 4 5', 57, 52, 16, false, false, true",
        "5, '5', 57, 46, 16, true, true, true"
    })
    void shouldAgreeWithReferenceOnRandomTables(
            long seed,
            String depths,
            int guestBits,
            int hostBits,
            int domainBits,
            boolean twoMiB,
            boolean oneGiB,
            boolean passThrough) {
        List<Integer> levels = java.util.Arrays.stream(depths.split(" ", -1))
                .map(Integer::valueOf)
                .toList();
        ReferenceWalker.Unit unit =
                new ReferenceWalker.Unit(levels, guestBits, hostBits, domainBits, twoMiB, oneGiB, passThrough);
        RemappingOptions options = RemappingOptions.builder()
                .addressWidths(widths(levels))
                .guestAddressWidth(guestBits)
                .hostAddressWidth(hostBits)
                .domainIdBits(domainBits)
                .largePages(twoMiB, oneGiB)
                .passThrough(passThrough)
                .build();
        SplittableRandom random = new SplittableRandom(seed);
        int[] seen = new int[16];
        for (int round = 0; round < 10; round++) {
            try (Bench bench = new Bench(options)) {
                new RandomTables(bench.memory, random.split()).build();
                bench.setRoot(RandomTables.ROOT);
                bench.translation(true);
                compare(bench, new ReferenceWalker(bench.memory, unit), random, 4_000, seen, "seed " + seed);
            }
        }
        // A comparison that never got anywhere would prove nothing.
        assertThat(seen[0]).as("translated").isGreaterThan(1_000);
        for (int code : new int[] {2, 3, 4, 5, 6, 0xB, 0xC, 0xE}) {
            assertThat(seen[code]).as("reason %x", code).isPositive();
        }
    }

    /** Writes 8 bytes, or reads them, at random places; what moved must be at the address that the reference names. */
    private static void compare(
            Bench bench, ReferenceWalker reference, SplittableRandom random, int count, int[] seen, String seed) {
        byte[] buffer = new byte[8];
        for (int i = 0; i < count; i++) {
            int rid = random.nextInt(RandomTables.BUSES) << 8 | random.nextInt(8);
            int bits = random.nextInt(20) == 0 ? 64 : 39 + 9 * random.nextInt(3);
            long iova = random.nextLong() >>> 64 - bits & ~7L;
            boolean write = random.nextBoolean();
            ReferenceWalker.Outcome expected = reference.translate(RandomTables.ROOT, rid, iova, write);
            if (iova >>> 20 != 0xFEE) {
                String wrong = check(bench, rid, iova, write, expected, buffer);
                assertThat(wrong)
                        .as(() -> String.format("%s, rid %x iova %x write %s: %s", seed, rid, iova, write, expected))
                        .isNull();
                seen[expected.code()]++;
            }
        }
    }

    /** What is wrong with the unit's answer, or null. */
    private static @Nullable String check(
            Bench bench, int rid, long iova, boolean write, ReferenceWalker.Outcome expected, byte[] buffer) {
        DmaPort port = bench.unit.portFor(rid);
        RequesterCounters counters = bench.unit.countersFor(rid);
        FaultReason reason = FaultReason.ofCode(expected.code());
        long before = reason == null ? 0 : counters.faults(reason);
        boolean backed = reason == null && bench.memory.contains(expected.hpa(), 8);
        // A write puts back what is there: the tables are among the targets.
        LittleEndian.putLong(buffer, 0, backed && write ? bench.memory.readLong(expected.hpa()) : 0);

        DmaFault fault = write
                ? port.write(iova, buffer, 0, 8, DmaKind.PAYLOAD)
                : port.read(iova, buffer, 0, 8, DmaKind.PAYLOAD);

        if (reason != null) {
            return fault == reason.dmaFault() && counters.faults(reason) == before + 1 ? null : "got " + fault;
        }
        if (!backed) {
            return fault == DmaFault.BEYOND_MEMORY ? null : "got " + fault;
        }
        if (fault != DmaFault.NONE) {
            return "got " + fault;
        }
        return LittleEndian.getLong(buffer, 0) == bench.memory.readLong(expected.hpa()) ? null : "other bytes moved";
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.invalidate.InvalidationKind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What stays cached when tables change, and which command removes it (VT-d 6.2, 6.5). Every rule is tried by register and by queue.
 *
 * <p>Four requesters: A and B share domain 7, C has domain 8 with the same table, D is B's neighbour with the next function number.
 */
class InvalidationTest {
    private static final int A = Tables.RID;
    private static final int B = 0x0028;
    private static final int C = 0x0030;
    private static final int D = 0x0029;
    private static final List<Integer> ALL = List.of(A, B, C, D);
    private static final long QUEUE = 0x40_0000;

    enum Via {
        REGISTER,
        QUEUE
    }

    /** Gives a command through CCMD and IVA + IOTLB, or as the descriptor with the same meaning. */
    private static final class Commands {
        private final Bench bench;
        private final Via via;
        private int tail;

        Commands(Bench bench, Via via) {
            this.bench = bench;
            this.via = via;
            if (via == Via.QUEUE) {
                bench.store64(Bench.IQA, QUEUE);
                bench.store32(Bench.GCMD, Bench.TE | Bench.QIE);
            }
        }

        void context(int granularity, int domain, int rid, int functionMask) {
            if (via == Via.REGISTER) {
                bench.store64(
                        Bench.CCMD,
                        1L << 63 | (long) granularity << 61 | (long) functionMask << 32 | (long) rid << 16 | domain);
                assertThat(bench.load64(Bench.CCMD) >>> 59)
                        .as("CIRG, CAIG, ICC clear")
                        .isEqualTo(granularity << 2 | granularity);
            } else {
                submit(1 | granularity << 4 | domain << 16 | (long) rid << 32 | (long) functionMask << 48, 0);
            }
        }

        void iotlb(int granularity, int domain, long address) {
            if (via == Via.REGISTER) {
                bench.store64(Bench.IVA, address);
                bench.store64(Bench.IOTLB, 1L << 63 | (long) granularity << 60 | (long) domain << 32);
                long done = bench.load64(Bench.IOTLB);
                assertThat(done >>> 63).as("IVT clear").isZero();
                assertThat(done >>> 57 & 3).as("IAIG").isEqualTo(granularity);
            } else {
                submit(2 | granularity << 4 | domain << 16, address);
            }
        }

        private void submit(long low, long high) {
            bench.memory.writeLong(QUEUE + tail, low);
            bench.memory.writeLong(QUEUE + tail + 8, high);
            tail += 16;
            bench.store32(Bench.IQT, tail);
            assertThat(bench.load32(Bench.IQH)).isEqualTo(tail);
        }
    }

    private static Bench bench() {
        Bench bench = Tables.bench(RemappingOptions.defaults());
        Tables.context(bench.memory, B, 0, 2, Tables.DOMAIN, Tables.LEVEL4);
        Tables.context(bench.memory, C, 0, 2, 8, Tables.LEVEL4);
        Tables.context(bench.memory, D, 0, 2, 8, Tables.LEVEL4);
        return bench;
    }

    private static boolean reaches(Bench bench, int rid, long iova) {
        return bench.unit.portFor(rid).loadShortAcquire(iova, DmaKind.DESCRIPTOR) >= 0;
    }

    private static List<Integer> reaching(Bench bench, long iova) {
        return ALL.stream().filter(rid -> reaches(bench, rid, iova)).toList();
    }

    private static long count(Bench bench, Via via, InvalidationKind kind) {
        assertThat(bench.unit.counters().invalidations(kind))
                .isEqualTo(bench.unit.counters().registerInvalidations(kind)
                        + bench.unit.counters().queuedInvalidations(kind));
        return via == Via.REGISTER
                ? bench.unit.counters().registerInvalidations(kind)
                : bench.unit.counters().queuedInvalidations(kind);
    }

    @ParameterizedTest
    @EnumSource(Via.class)
    @Spec(id = "Q1.1", section = "VT-d 3.3 6.5.2.1")
    @Spec(id = "Q11.1", section = "VT-d 3.3 6.5.1.1")
    void shouldKeepStaleContextUntilDeviceSelectiveInvalidation(Via via) {
        try (Bench bench = bench()) {
            Commands commands = new Commands(bench, via);
            assertThat(reaching(bench, Tables.IOVA)).isEqualTo(ALL);
            bench.memory.fill(Tables.CONTEXT, 4096, (byte) 0);
            assertThat(reaching(bench, Tables.IOVA)).as("stale").isEqualTo(ALL);

            commands.context(3, 8, A, 0);
            assertThat(reaching(bench, Tables.IOVA)).as("domain does not match").isEqualTo(ALL);
            commands.context(3, Tables.DOMAIN, A, 0);
            assertThat(reaching(bench, Tables.IOVA)).isEqualTo(List.of(B, C, D));
            assertThat(count(bench, via, InvalidationKind.CONTEXT_DEVICE)).isEqualTo(2);
        }
    }

    /** FM=3 ignores the function number. */
    @ParameterizedTest
    @EnumSource(Via.class)
    @Spec(id = "Q1.1", section = "VT-d 3.3 6.5.2.1")
    @Spec(id = "Q11.1", section = "VT-d 3.3 6.5.1.1")
    void shouldApplyFunctionMask(Via via) {
        for (int mask = 0; mask <= 3; mask++) {
            try (Bench bench = bench()) {
                Commands commands = new Commands(bench, via);
                for (int function = 0; function < 8; function++) {
                    Tables.context(bench.memory, C + function, 0, 2, 8, Tables.LEVEL4);
                    assertThat(reaches(bench, C + function, Tables.IOVA)).isTrue();
                }
                bench.memory.fill(Tables.CONTEXT, 4096, (byte) 0);
                commands.context(3, 8, C + 1, mask);
                int ignored = new int[] {0, 4, 6, 7}[mask];
                for (int function = 0; function < 8; function++) {
                    assertThat(reaches(bench, C + function, Tables.IOVA))
                            .as("FM %d function %d", mask, function)
                            .isEqualTo(((function ^ 1) & ~ignored) != 0);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Via.class)
    @Spec(id = "Q1.1", section = "VT-d 3.3 6.5.2.1")
    @Spec(id = "Q11.1", section = "VT-d 3.3 6.5.1.1")
    void shouldInvalidateContextsByDomainAndGlobally(Via via) {
        try (Bench bench = bench()) {
            Commands commands = new Commands(bench, via);
            reaching(bench, Tables.IOVA);
            bench.memory.fill(Tables.CONTEXT, 4096, (byte) 0);
            commands.context(2, 8, 0, 0);
            assertThat(reaching(bench, Tables.IOVA)).isEqualTo(List.of(A, B));
            commands.context(1, 0, 0, 0);
            assertThat(reaching(bench, Tables.IOVA)).isEmpty();
            assertThat(count(bench, via, InvalidationKind.CONTEXT_DOMAIN)).isEqualTo(1);
            assertThat(count(bench, via, InvalidationKind.CONTEXT_GLOBAL)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Via.class)
    @Spec(id = "Q2.1", section = "VT-d 3.3 6.5.2.3")
    @Spec(id = "Q11.2", section = "VT-d 3.3 6.5.1.2")
    void shouldKeepStaleTranslationUntilItsDomainIsInvalidated(Via via) {
        try (Bench bench = bench()) {
            Commands commands = new Commands(bench, via);
            assertThat(reaching(bench, Tables.IOVA)).isEqualTo(ALL);
            bench.memory.writeLong(Tables.ENTRY1, 0);
            assertThat(reaching(bench, Tables.IOVA)).as("stale").isEqualTo(ALL);
            commands.context(1, 0, 0, 0);
            assertThat(reaching(bench, Tables.IOVA))
                    .as("contexts are not translations")
                    .isEqualTo(ALL);
            commands.iotlb(2, 9, 0);
            assertThat(reaching(bench, Tables.IOVA)).as("another domain").isEqualTo(ALL);
            commands.iotlb(2, Tables.DOMAIN, 0);
            assertThat(reaching(bench, Tables.IOVA)).isEqualTo(List.of(C, D));
            commands.iotlb(1, 0, 0);
            assertThat(reaching(bench, Tables.IOVA)).isEmpty();
            assertThat(count(bench, via, InvalidationKind.IOTLB_DOMAIN)).isEqualTo(2);
            assertThat(count(bench, via, InvalidationKind.IOTLB_GLOBAL)).isEqualTo(1);
        }
    }

    /** AM=n covers 2^n pages, naturally aligned: low page bits of the address are ignored. */
    @ParameterizedTest
    @EnumSource(Via.class)
    @Spec(id = "Q2.1", section = "VT-d 3.3 6.5.2.3")
    @Spec(id = "Q11.2", section = "VT-d 3.3 6.5.1.2")
    void shouldInvalidateExactlyTheAddressedBlock(Via via) {
        for (int mask = 0; mask <= 4; mask++) {
            try (Bench bench = bench()) {
                Commands commands = new Commands(bench, via);
                long block = Tables.IOVA & -(1L << 21);
                for (int page = 0; page < 32; page++) {
                    bench.memory.writeLong(Tables.LEVEL1 + 8 * page, Tables.PAGE + 4096L * page | 3);
                    assertThat(reaches(bench, A, block + 4096L * page)).isTrue();
                }
                bench.memory.fill(Tables.LEVEL1, 4096, (byte) 0);
                commands.iotlb(3, Tables.DOMAIN, block + 4096 * 13 | mask);
                for (int page = 0; page < 32; page++) {
                    assertThat(reaches(bench, A, block + 4096L * page))
                            .as("AM %d page %d", mask, page)
                            .isEqualTo(page >> mask != 13 >> mask);
                }
                assertThat(count(bench, via, InvalidationKind.IOTLB_PAGE)).isEqualTo(1);
            }
        }
    }

    /** A large page goes when any 4 KiB of it is invalidated. */
    @ParameterizedTest
    @EnumSource(Via.class)
    void shouldDropLargePageThatBlockTouches(Via via) {
        try (Bench bench = bench()) {
            Commands commands = new Commands(bench, via);
            bench.memory.writeLong(Tables.ENTRY2, Tables.PAGE | 0x83);
            assertThat(reaches(bench, A, Tables.IOVA)).isTrue();
            bench.memory.writeLong(Tables.ENTRY2, 0);
            commands.iotlb(3, Tables.DOMAIN, (Tables.IOVA & -(1L << 21)) + (1L << 21));
            assertThat(reaches(bench, A, Tables.IOVA)).as("the page after it").isTrue();
            commands.iotlb(3, Tables.DOMAIN, Tables.IOVA + 0x1F_0000 & -4096L);
            assertThat(reaches(bench, A, Tables.IOVA)).isFalse();
        }
    }

    /** Rights that grow need an invalidation as well: a hit is checked, not walked again (VT-d 6.2). */
    @Test
    void shouldDenyByCachedRights() {
        try (Bench bench = bench()) {
            Commands commands = new Commands(bench, Via.REGISTER);
            bench.memory.writeLong(Tables.ENTRY1, Tables.PAGE | 1);
            assertThat(reaches(bench, A, Tables.IOVA)).isTrue();
            bench.memory.writeLong(Tables.ENTRY1, Tables.PAGE | 3);
            assertThat(bench.unit.portFor(A).storeShortRelease(Tables.IOVA, 1, DmaKind.DESCRIPTOR))
                    .isEqualTo(DmaFault.NO_WRITE);
            commands.iotlb(2, Tables.DOMAIN, 0);
            assertThat(bench.unit.portFor(A).storeShortRelease(Tables.IOVA, 1, DmaKind.DESCRIPTOR))
                    .isEqualTo(DmaFault.NONE);
        }
    }

    /** CM=0 remembers no absence; CM=1 does, contexts under domain 0, until told otherwise (VT-d 6.1). */
    @Test
    void shouldCacheAbsenceInCachingModeOnly() {
        for (boolean cachingMode : new boolean[] {false, true}) {
            try (Bench bench = new Bench(
                    RemappingOptions.builder().cachingMode(cachingMode).build())) {
                Commands commands = new Commands(bench, Via.REGISTER);
                bench.setRoot(Tables.ROOT);
                bench.translation(true);
                assertThat(reaches(bench, A, Tables.IOVA)).isFalse();
                Tables.build(bench.memory);
                assertThat(reaches(bench, A, Tables.IOVA)).as("root appeared").isEqualTo(!cachingMode);
                commands.context(3, Tables.DOMAIN, A, 0);
                assertThat(reaches(bench, A, Tables.IOVA)).as("wrong domain").isEqualTo(!cachingMode);
                commands.context(3, 0, A, 0);
                assertThat(reaches(bench, A, Tables.IOVA)).isTrue();

                long other = Tables.IOVA + 4096;
                assertThat(reaches(bench, A, other)).isFalse();
                bench.memory.writeLong(Tables.ENTRY1 + 8, Tables.PAGE | 3);
                assertThat(reaches(bench, A, other)).as("page appeared").isEqualTo(!cachingMode);
                commands.iotlb(3, Tables.DOMAIN, other);
                assertThat(reaches(bench, A, other)).isTrue();
            }
        }
    }

    /** Granularity 0 is reserved, AM beyond MAMV is incorrect: nothing happens and IAIG says 0. */
    @Test
    @Spec(id = "Q11.1", section = "VT-d 3.3 6.5.1.1")
    @Spec(id = "Q11.2", section = "VT-d 3.3 6.5.1.2")
    void shouldReportIncorrectRegisterRequests() {
        try (Bench bench = bench()) {
            reaches(bench, A, Tables.IOVA);
            bench.memory.writeLong(Tables.ENTRY1, 0);
            bench.store64(Bench.IOTLB, 1L << 63);
            assertThat(bench.load64(Bench.IOTLB)).isZero();
            bench.store64(Bench.IVA, Tables.IOVA & -4096L | 19);
            bench.store64(Bench.IOTLB, 1L << 63 | 3L << 60 | (long) Tables.DOMAIN << 32);
            assertThat(bench.load64(Bench.IOTLB) >>> 57 & 3).isZero();
            assertThat(reaches(bench, A, Tables.IOVA)).as("still stale").isTrue();
        }
    }

    /** The command bit is bit 63: two 4-byte writes start it with the second (VT-d 10.4.7, 10.4.8). */
    @Test
    void shouldStartOnHighHalf() {
        try (Bench bench = bench()) {
            reaches(bench, A, Tables.IOVA);
            bench.memory.fill(Tables.CONTEXT, 4096, (byte) 0);
            bench.store32(Bench.CCMD, A << 16 | Tables.DOMAIN);
            assertThat(reaches(bench, A, Tables.IOVA)).isTrue();
            bench.store32(Bench.CCMD + 4, 1 << 31 | 3 << 29);
            assertThat(reaches(bench, A, Tables.IOVA)).isFalse();
        }
    }

    /** Registers are out of service while the queue is enabled: no hang, no effect, counted. */
    @Test
    @Spec(id = "Q11.3", section = "VT-d 3.3 6.5.1")
    void shouldRefuseRegisterCommandsWhileQueueIsEnabled() {
        try (Bench bench = bench()) {
            reaches(bench, A, Tables.IOVA);
            new Commands(bench, Via.QUEUE);
            bench.memory.fill(Tables.CONTEXT, 4096, (byte) 0);
            bench.store64(Bench.CCMD, 1L << 63 | 1L << 61);
            bench.store64(Bench.IOTLB, 1L << 63 | 1L << 60);
            assertThat(bench.load64(Bench.CCMD) >>> 63).isZero();
            assertThat(bench.load64(Bench.CCMD) >>> 59 & 3).isZero();
            assertThat(bench.load64(Bench.IOTLB) >>> 57 & 3).isZero();
            assertThat(reaches(bench, A, Tables.IOVA)).isTrue();
            assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE)).isEqualTo(2);
        }
    }
}

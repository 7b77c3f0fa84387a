package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.InterruptTable;
import io.iolab.iommu.driver.InterruptTarget;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.driver.SourceCheck;
import io.iolab.iommu.driver.TableMode;
import io.iolab.iommu.invalidate.InvalidationKind;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The driver on units with and without each capability (VT-d 6, 7, 9, 10.4.2, 10.4.3): what it promises holds on all of them. */
class DriverMatrixTest {
    private static final int NIC = 0x0020;
    private static final int SECOND_HALF = 0x01A8;
    private static final long IOVA = 0x10_0000_0000L;
    private static final long HPA = 0x20_0000;

    private static final int CACHING_MODE = 1;
    private static final int WRITE_BUFFERS = 1 << 1;
    private static final int NO_PAGE_SELECTIVE = 1 << 2;
    private static final int ROOT_FLUSHES = 1 << 3;
    private static final int SMALL_PAGES = 1 << 4;
    private static final int REGISTERS = 1 << 5;
    private static final int PAGING_STRUCTURES = 1 << 6;
    private static final int COMBINATIONS = 1 << 7;

    record Unit(TableMode mode, int bits) {
        private boolean has(int bit) {
            return (bits & bit) != 0;
        }

        RemappingOptions options() {
            RemappingOptions.Builder options = RemappingOptions.builder()
                    .cachingMode(has(CACHING_MODE))
                    .writeBufferFlush(has(WRITE_BUFFERS))
                    .pageSelectiveInvalidation(!has(NO_PAGE_SELECTIVE))
                    .setRootFlushes(has(ROOT_FLUSHES))
                    .largePages(!has(SMALL_PAGES), !has(SMALL_PAGES))
                    .queuedInvalidation(!has(REGISTERS));
            if (has(PAGING_STRUCTURES)) {
                options.pagingStructureCache(4, 4);
            }
            return mode == TableMode.LEGACY
                    ? options.build()
                    : scalable(options).build();
        }

        /** Reason of a read of an absent page. */
        int absent() {
            return switch (mode) {
                case LEGACY -> 6;
                case SCALABLE_SECOND_LEVEL -> 0x86;
                case SCALABLE_FIRST_LEVEL -> 0x71;
            };
        }

        /** Reason of any request of a requester whose bus has a context table but which has no entry. */
        int detached() {
            return mode == TableMode.LEGACY ? 2 : 0x41;
        }
    }

    static RemappingOptions.Builder scalable(RemappingOptions.Builder options) {
        return options.scalableMode(true).secondLevel(true).firstLevel(true);
    }

    static Stream<Unit> units() {
        return Stream.of(TableMode.values())
                .flatMap(mode -> IntStream.range(0, COMBINATIONS).mapToObj(bits -> new Unit(mode, bits)))
                .filter(unit -> unit.mode() == TableMode.LEGACY || !unit.has(REGISTERS));
    }

    static IommuDriver driver(Bench bench, TableMode mode) {
        IommuDriver driver = new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames, mode);
        driver.enable();
        return driver;
    }

    static boolean reads(Bench bench, int rid, long iova) {
        return bench.unit.portFor(rid).read(iova, new byte[4], 0, 4, DmaKind.PAYLOAD) == DmaFault.NONE;
    }

    private static List<FaultReport> faults(IommuDriver driver) {
        List<FaultReport> reports = new ArrayList<>();
        driver.handleFaults(reports::add);
        return reports;
    }

    private static void refuses(Bench bench, IommuDriver driver, int rid, long iova, int reason) {
        faults(driver);
        assertThat(reads(bench, rid, iova)).as("0x%x", iova).isFalse();
        assertThat(faults(driver)).containsExactly(new FaultReport(rid, iova & -4096, Access.READ, reason));
    }

    @ParameterizedTest
    @MethodSource("units")
    void shouldMapUnmapAndTearDownWithExactReasons(Unit kind) {
        try (Bench bench = new Bench(kind.options())) {
            IommuDriver driver = driver(bench, kind.mode());
            Domain domain = driver.createDomain();
            driver.attach(NIC, domain);
            refuses(bench, driver, NIC, IOVA, kind.absent());
            domain.map(IOVA, HPA, 0x3000, MapRights.READ_WRITE);
            assertThat(reads(bench, NIC, IOVA)).isTrue();
            domain.unmap(IOVA + 0x1000, 0x1000);
            refuses(bench, driver, NIC, IOVA + 0x1000, kind.absent());
            assertThat(reads(bench, NIC, IOVA + 0x2000)).isTrue();
            domain.unmap(IOVA, 0x3000);
            refuses(bench, driver, NIC, IOVA, kind.absent());
            domain.map(IOVA, HPA, 4 << 20, MapRights.READ);
            assertThat(reads(bench, NIC, IOVA + (3 << 20)))
                    .as("where small pages were")
                    .isTrue();
            assertThat(bench.unit.portFor(NIC).write(IOVA, new byte[4], 0, 4, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NO_WRITE);

            driver.detach(NIC);
            refuses(bench, driver, NIC, IOVA, kind.detached());
            Domain second = driver.createDomain();
            driver.attach(NIC, second);
            refuses(bench, driver, NIC, IOVA, kind.absent());
            driver.attach(SECOND_HALF, domain);
            assertThat(reads(bench, SECOND_HALF, IOVA)).isTrue();
            driver.detach(SECOND_HALF);
            domain.destroy();
            refuses(bench, driver, SECOND_HALF, IOVA, kind.detached());
            assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE)).isZero();
            assertThat(bench.load32(Bench.FSTS) & 0xFF).as("no queue error").isZero();
        }
    }

    /** Random maps and unmaps, small and large: when unmap has returned nothing of it can be read, on any unit. */
    @ParameterizedTest
    @MethodSource("units")
    void shouldLeaveNothingStale(Unit kind) {
        long seed = 7_000L + kind.bits();
        SplittableRandom random = new SplittableRandom(seed);
        try (Bench bench = new Bench(kind.options())) {
            IommuDriver driver = driver(bench, kind.mode());
            Domain domain = driver.createDomain();
            driver.attach(NIC, domain);
            long[] mapped = new long[64];
            for (int step = 0; step < 300; step++) {
                int block = random.nextInt(mapped.length);
                long size = block % 8 == 0 ? 2L << 20 : 4096L << block % 4;
                long iova = IOVA + ((long) block << 21);
                if (mapped[block] == 0) {
                    mapped[block] = HPA + size * random.nextInt(2);
                    domain.map(iova, mapped[block], size, MapRights.READ_WRITE);
                } else {
                    domain.unmap(iova, size);
                    mapped[block] = 0;
                }
                for (int probe = 0; probe < 4; probe++) {
                    int other = probe == 0 ? block : random.nextInt(mapped.length);
                    long hpa = mapped[other];
                    if (hpa != 0) {
                        bench.memory.writeShort(hpa, (short) step);
                    }
                    int seen =
                            bench.unit.portFor(NIC).loadShortAcquire(IOVA + ((long) other << 21), DmaKind.DESCRIPTOR);
                    if (hpa == 0 ? seen >= 0 : seen != step) {
                        fail("%s, seed %d, step %d, block %d: saw %d", kind, seed, step, other, seen);
                    }
                }
                faults(driver);
            }
        }
    }

    /** A processor that does something before each store to a register. */
    private static CpuPort before(Bench bench, Runnable store) {
        return new CpuPort() {
            @Override
            public long load(long pa, int width) {
                return bench.cpu.load(pa, width);
            }

            @Override
            public void store(long pa, int width, long value) {
                store.run();
                bench.cpu.store(pa, width, value);
            }

            @Override
            public int in(int port, int width) {
                return -1;
            }

            @Override
            public void out(int port, int width, int value) {}
        };
    }

    /** Teardown from the top down, then devices: the lower could be refilled from the upper (VT-d 6.5.3). */
    @ParameterizedTest
    @EnumSource
    void shouldInvalidateFromTheTopDownAtDetach(TableMode mode) {
        try (Bench bench =
                new Bench(scalable(RemappingOptions.builder()).deviceTlb(true).build())) {
            List<InvalidationKind> seen = new ArrayList<>();
            long[] counts = new long[InvalidationKind.values().length];
            Runnable look = () -> {
                for (InvalidationKind kind : InvalidationKind.values()) {
                    long count = bench.unit.counters().invalidations(kind);
                    if (count != counts[kind.ordinal()] && kind != InvalidationKind.WAIT) {
                        seen.add(kind);
                    }
                    counts[kind.ordinal()] = count;
                }
            };
            IommuDriver driver = new IommuDriver(before(bench, look), Bench.BASE, bench.memory, bench.frames, mode);
            driver.enable();
            new CachingFunction(bench, NIC);
            driver.attachWithDeviceTlb(NIC, driver.createDomain());
            look.run();
            seen.clear();
            driver.detach(NIC);
            look.run();
            List<InvalidationKind> expected = new ArrayList<>(List.of(InvalidationKind.CONTEXT_DEVICE));
            if (mode != TableMode.LEGACY) {
                expected.add(InvalidationKind.PASID_ONE);
            }
            expected.add(
                    mode == TableMode.SCALABLE_FIRST_LEVEL
                            ? InvalidationKind.PASID_IOTLB_ALL
                            : InvalidationKind.IOTLB_DOMAIN);
            expected.add(InvalidationKind.DEVICE_TLB);
            assertThat(seen).isEqualTo(expected);
        }
    }

    /** With caching mode an absent PASID entry that a late request has come upon is remembered under domain 0 (VT-d 6.1). */
    @ParameterizedTest
    @EnumSource(names = {"SCALABLE_SECOND_LEVEL", "SCALABLE_FIRST_LEVEL"})
    void shouldClearRememberedAbsenceOfPasidEntry(TableMode mode) {
        try (Bench bench = new Bench(scalable(RemappingOptions.builder())
                .cachingMode(true)
                .pasidCache(1, 1)
                .build())) {
            CpuPort between = before(bench, () -> reads(bench, NIC, IOVA));
            IommuDriver driver = new IommuDriver(between, Bench.BASE, bench.memory, bench.frames, mode);
            driver.enable();
            Domain domain = driver.createDomain();
            domain.map(IOVA, HPA, 0x1000, MapRights.READ);
            driver.attach(NIC, domain);
            driver.attach(SECOND_HALF, driver.createDomain());
            assertThat(reads(bench, NIC, IOVA)).isTrue();
            assertThat(reads(bench, SECOND_HALF, IOVA)).as("takes the one slot").isFalse();
            driver.detach(NIC);
            driver.attach(NIC, domain);
            assertThat(reads(bench, NIC, IOVA)).isTrue();
        }
    }

    /**
     * A device that tries its luck before each of the driver's register writes, so that what is still cached above refills what was
     * invalidated below wherever the order is wrong, and every absence is remembered that can be (VT-d 6.5.3, 6.1).
     */
    @ParameterizedTest
    @MethodSource("units")
    void shouldHoldWhileDeviceKeepsTrying(Unit kind) {
        try (Bench bench = new Bench(kind.options())) {
            CpuPort between = before(bench, () -> reads(bench, NIC, IOVA));
            IommuDriver driver = new IommuDriver(between, Bench.BASE, bench.memory, bench.frames, kind.mode());
            driver.enable();
            Domain domain = driver.createDomain();
            for (int round = 0; round < 3; round++) {
                driver.attach(NIC, domain);
                domain.map(IOVA, HPA, 0x1000, MapRights.READ);
                assertThat(reads(bench, NIC, IOVA)).isTrue();
                domain.unmap(IOVA, 0x1000);
                refuses(bench, driver, NIC, IOVA, kind.absent());
                domain.map(IOVA, HPA, 0x1000, MapRights.READ);
                assertThat(reads(bench, NIC, IOVA)).isTrue();
                driver.detach(NIC);
                refuses(bench, driver, NIC, IOVA, kind.detached());
                domain.unmap(IOVA, 0x1000);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldPassThroughInEveryMode(TableMode mode) {
        try (Bench bench = new Bench(new Unit(mode, 0).options())) {
            IommuDriver driver = driver(bench, mode);
            Domain open = driver.createPassThroughDomain();
            driver.attach(NIC, open);
            assertThat(reads(bench, NIC, HPA)).isTrue();
            driver.detach(NIC);
            assertThat(reads(bench, NIC, HPA)).isFalse();
        }
    }

    /** ESRTPS: the unit does it by itself (VT-d 10.4.2). */
    @Test
    void shouldNotInvalidateAfterRootPointerThatFlushes() {
        try (Bench bench =
                new Bench(RemappingOptions.builder().setRootFlushes(true).build())) {
            driver(bench, TableMode.LEGACY);
            assertThat(bench.unit.counters().invalidations(InvalidationKind.CONTEXT_GLOBAL))
                    .isZero();
            assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_GLOBAL))
                    .isZero();
        }
    }

    /** Commands of scalable mode: PASID-based ones for first-level tables, those by domain for second-level ones (VT-d 6.5.2.4). */
    @Test
    void shouldUseCommandsOfTheTablesInForce() {
        for (TableMode mode : new TableMode[] {TableMode.SCALABLE_SECOND_LEVEL, TableMode.SCALABLE_FIRST_LEVEL}) {
            try (Bench bench = new Bench(new Unit(mode, 0).options())) {
                IommuDriver driver = driver(bench, mode);
                IommuCounters counters = bench.unit.counters();
                assertThat(counters.invalidations(InvalidationKind.PASID_GLOBAL))
                        .isEqualTo(1);
                Domain domain = driver.createDomain();
                driver.attach(NIC, domain);
                domain.map(IOVA, HPA, 4096, MapRights.READ);
                domain.unmap(IOVA, 4096);
                boolean first = mode == TableMode.SCALABLE_FIRST_LEVEL;
                assertThat(counters.invalidations(InvalidationKind.PASID_IOTLB_PAGE))
                        .isEqualTo(first ? 1 : 0);
                assertThat(counters.invalidations(InvalidationKind.IOTLB_PAGE)).isEqualTo(first ? 0 : 1);
                driver.detach(NIC);
                assertThat(counters.invalidations(InvalidationKind.PASID_ONE)).isEqualTo(1);
            }
        }
    }

    /**
     * Caching mode remembers absent second-level entries (VT-d 6.1), and no first-level ones, of which Linux tells nobody
     * ({@code __mapping_notify_one}): a mapping there works at once.
     */
    @Test
    void shouldTellNobodyOfFirstLevelMappings() {
        for (TableMode mode : TableMode.values()) {
            try (Bench bench = new Bench(new Unit(mode, CACHING_MODE | PAGING_STRUCTURES).options())) {
                IommuDriver driver = driver(bench, mode);
                Domain domain = driver.createDomain();
                driver.attach(NIC, domain);
                assertThat(reads(bench, NIC, IOVA)).isFalse();
                long before = invalidations(bench);
                domain.map(IOVA, HPA, 4096, MapRights.READ);
                assertThat(invalidations(bench) - before)
                        .as("%s", mode)
                        .isEqualTo(mode == TableMode.SCALABLE_FIRST_LEVEL ? 0 : 1);
                assertThat(reads(bench, NIC, IOVA)).as("%s", mode).isTrue();
            }
        }
    }

    private static long invalidations(Bench bench) {
        return Stream.of(InvalidationKind.values())
                .filter(kind -> kind != InvalidationKind.WAIT)
                .mapToLong(kind -> bench.unit.counters().invalidations(kind))
                .sum();
    }

    @Test
    void shouldRefuseModesThatAreNotOffered() {
        try (Bench bench = new Bench()) {
            for (TableMode mode : new TableMode[] {TableMode.SCALABLE_SECOND_LEVEL, TableMode.SCALABLE_FIRST_LEVEL}) {
                assertThatThrownBy(() -> new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames, mode))
                        .isInstanceOf(IllegalStateException.class);
            }
            IommuDriver driver = driver(bench, TableMode.LEGACY);
            assertThatThrownBy(() -> driver.attachWithDeviceTlb(NIC, driver.createDomain()))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    /** Interrupt entries live as long as their device (VT-d 5.1.3): afterwards its messages are blocked, and no other's. */
    @Test
    void shouldTakeInterruptsFromDeviceThatIsRemoved() {
        try (Bench bench =
                new Bench(RemappingOptions.builder().interruptRemapping(true).build())) {
            IommuDriver driver = driver(bench, TableMode.LEGACY);
            InterruptTable table = driver.enableInterruptRemapping(false);
            driver.attach(NIC, driver.createDomain());
            int first = table.allocate(NIC, 4);
            int other = table.allocate(SECOND_HALF, 2);
            table.remap(first, SourceCheck.requester(NIC), InterruptTarget.fixed(1, 0x40));
            table.remap(other, SourceCheck.requester(SECOND_HALF), InterruptTarget.fixed(1, 0x41));
            driver.remove(NIC);
            assertThat(driver.domainOf(NIC)).isNull();
            bench.unit.interruptPortFor(NIC).message(InterruptTable.messageAddress(first), 0);
            assertThat(bench.messages).isEmpty();
            assertThat(faults(driver))
                    .singleElement()
                    .satisfies(fault -> assertThat(fault.reasonCode()).isEqualTo(0x22));
            bench.unit.interruptPortFor(SECOND_HALF).message(InterruptTable.messageAddress(other), 0);
            assertThat(bench.messages).hasSize(1);
            assertThat(table.allocate(NIC, 4)).as("free again").isEqualTo(first);
            driver.remove(0x0300);
        }
    }
}

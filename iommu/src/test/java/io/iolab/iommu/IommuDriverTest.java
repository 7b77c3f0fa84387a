package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.invalidate.InvalidationKind;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The driver and the unit together: what software promises its callers holds for devices (VT-d 6, 7, 9, 10). */
class IommuDriverTest {
    private static final int NIC = 0x0020;
    private static final int OTHER = 0x0100;
    private static final long IOVA = 0x10_0000_0000L;
    private static final long HPA = 0x20_0000;

    /** Units that differ in what a driver must respect. */
    static Stream<Arguments> units() {
        return Stream.of(
                Arguments.of("defaults", RemappingOptions.builder()),
                Arguments.of("caching mode", RemappingOptions.builder().cachingMode(true)),
                Arguments.of("registers", RemappingOptions.builder().queuedInvalidation(false)),
                Arguments.of(
                        "registers, caching mode",
                        RemappingOptions.builder().queuedInvalidation(false).cachingMode(true)),
                Arguments.of("domain-selective only", RemappingOptions.builder().pageSelectiveInvalidation(false)),
                Arguments.of("write buffers", RemappingOptions.builder().writeBufferFlush(true)),
                Arguments.of("3 levels", RemappingOptions.builder().addressWidths(39)),
                Arguments.of("5 levels", RemappingOptions.builder().addressWidths(48, 57)),
                Arguments.of("small pages", RemappingOptions.builder().largePages(false, false)),
                Arguments.of(
                        "tiny caches", RemappingOptions.builder().iotlb(1, 1).contextCache(1, 1)));
    }

    private static IommuDriver driver(Bench bench) {
        IommuDriver driver = new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames);
        driver.enable();
        return driver;
    }

    private static boolean reads(Bench bench, int rid, long iova) {
        return bench.unit.portFor(rid).read(iova, new byte[4], 0, 4, DmaKind.PAYLOAD) == DmaFault.NONE;
    }

    private static List<FaultReport> faults(IommuDriver driver) {
        List<FaultReport> reports = new ArrayList<>();
        driver.handleFaults(reports::add);
        return reports;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("units")
    void shouldMapAndUnmapForAttachedDevice(String name, RemappingOptions.Builder options) {
        try (Bench bench = new Bench(options.build())) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createDomain();
            assertThat(reads(bench, NIC, IOVA)).as("nobody attached it").isFalse();
            driver.attach(NIC, domain);
            assertThat(reads(bench, NIC, IOVA)).as("nothing mapped").isFalse();
            domain.map(IOVA, HPA, 0x3000, MapRights.READ_WRITE);
            bench.memory.writeInt(HPA + 0x2FFC, 0x600D);
            byte[] seen = new byte[0x3000];
            assertThat(bench.unit.portFor(NIC).read(IOVA, seen, 0, 0x3000, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NONE);
            assertThat(seen[0x2FFC]).isEqualTo((byte) 0x0D);
            assertThat(reads(bench, OTHER, IOVA)).as("another device").isFalse();

            assertThat(domain.unmap(IOVA + 0x1000, 0x1000)).isEqualTo(0x1000);
            assertThat(reads(bench, NIC, IOVA)).isTrue();
            assertThat(reads(bench, NIC, IOVA + 0x1000))
                    .as("unmapped when unmap returned")
                    .isFalse();
            assertThat(reads(bench, NIC, IOVA + 0x2000)).isTrue();
            domain.map(IOVA + 0x1000, HPA + 0x8000, 0x1000, MapRights.READ_WRITE);
            assertThat(reads(bench, NIC, IOVA + 0x1000)).isTrue();

            driver.detach(NIC);
            assertThat(reads(bench, NIC, IOVA)).as("detached").isFalse();
            Domain second = driver.createDomain();
            second.map(IOVA, HPA + 0x4000, 0x1000, MapRights.READ);
            driver.attach(NIC, second);
            assertThat(reads(bench, NIC, IOVA)).isTrue();
            assertThat(reads(bench, NIC, IOVA + 0x2000)).as("of the old domain").isFalse();
        }
    }

    /** Random maps, unmaps, attaches: after each call the devices see exactly what a plain map of pages says. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("units")
    void shouldAgreeWithPlainMapOfPages(String name, RemappingOptions.Builder options) {
        long seed = 20_26;
        SplittableRandom random = new SplittableRandom(seed);
        try (Bench bench = new Bench(options.build())) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createDomain();
            driver.attach(NIC, domain);
            TreeMap<Long, Long> pages = new TreeMap<>();
            for (int step = 0; step < 1_500; step++) {
                long iova = IOVA + 4096L * random.nextInt(256);
                long length = 4096L * random.nextInt(1, 40);
                boolean map = random.nextBoolean();
                if (map && pages.subMap(iova, iova + length).isEmpty()) {
                    long hpa = 4096L * random.nextInt(1024);
                    domain.map(iova, hpa, length, MapRights.READ_WRITE);
                    for (long at = 0; at < length; at += 4096) {
                        pages.put(iova + at, hpa + at);
                    }
                } else if (!map) {
                    domain.unmap(iova, length);
                    pages.subMap(iova, iova + length).clear();
                }
                assertThat(domain.mappedBytes()).isEqualTo(4096L * pages.size());
                for (int probe = 0; probe < 8; probe++) {
                    long page = IOVA + 4096L * random.nextInt(300);
                    Long hpa = pages.get(page);
                    if (hpa != null) {
                        bench.memory.writeShort(hpa, (short) step);
                    }
                    int seen = bench.unit.portFor(NIC).loadShortAcquire(page, DmaKind.DESCRIPTOR);
                    int expected = hpa == null ? DmaFault.NO_READ.asResult() : step;
                    long expectedHpa = hpa == null ? -1 : hpa;
                    if (seen != expected || domain.translate(page) != expectedHpa) {
                        fail("seed %d, step %d, iova %x: saw %d, expected %d", seed, step, page, seen, expected);
                    }
                }
                faults(driver);
            }
        }
    }

    @Test
    void shouldMoveNoByteAndLeaveRecordForMissingMapping() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createDomain();
            domain.map(IOVA, HPA, 4096, MapRights.READ_WRITE);
            domain.map(IOVA + 0x3000, HPA + 0x3000, 4096, MapRights.WRITE);
            driver.attach(NIC, domain);
            driver.attach(OTHER, domain);
            bench.memory.fill(HPA, 0x4000, (byte) 0x77);
            DmaPort port = bench.unit.portFor(NIC);

            byte[] frame = new byte[8192];
            assertThat(port.write(IOVA + 0x800, frame, 0, 8192, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NO_WRITE);
            assertThat(bench.memory.readByte(HPA + 0x7FF)).isEqualTo((byte) 0x77);
            assertThat(bench.memory.readByte(HPA + 0xFFF))
                    .as("the page before the fault")
                    .isZero();
            for (long hpa = HPA + 0x1000; hpa < HPA + 0x4000; hpa += 8) {
                assertThat(bench.memory.readLong(hpa)).isEqualTo(0x7777_7777_7777_7777L);
            }
            java.util.Arrays.fill(frame, (byte) 0x11);
            assertThat(bench.unit.portFor(OTHER).read(IOVA + 0x3010, frame, 0, 16, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NO_READ);
            assertThat(frame).containsOnly(0x11);

            List<FaultReport> reports = faults(driver);
            assertThat(reports)
                    .containsExactly(
                            new FaultReport(NIC, IOVA + 0x1000, Access.WRITE, 5),
                            new FaultReport(OTHER, IOVA + 0x3000, Access.READ, 6));
            assertThat(reports.get(0))
                    .hasToString("DMAR: [DMA Write NO_PASID] Request device [00:04.0] fault addr 0x1000001000"
                            + " [fault reason 0x05] PTE Write access is not set");
            assertThat(reports.get(1))
                    .hasToString("DMAR: [DMA Read NO_PASID] Request device [01:00.0] fault addr 0x1000003000"
                            + " [fault reason 0x06] PTE Read access is not set");
            assertThat(reports.get(0).reason()).isEqualTo(FaultReason.WRITE_DENIED);
            assertThat(faults(driver)).as("cleared").isEmpty();
            assertThat(bench.load32(Bench.FSTS) & 3).isZero();
        }
    }

    @Test
    void shouldNoticeOverflowAndGoOn() {
        try (Bench bench = new Bench(RemappingOptions.builder().faultRecords(2).build())) {
            IommuDriver driver = driver(bench);
            for (int rid = 1; rid <= 5; rid++) {
                reads(bench, rid, 0);
            }
            assertThat(faults(driver)).hasSize(2);
            assertThat(driver.faultOverflows()).isEqualTo(1);
            reads(bench, 9, 0);
            assertThat(faults(driver)).containsExactly(new FaultReport(9, 0, Access.READ, 1));
        }
    }

    @Test
    void shouldBeToldOfFaultsByMessage() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            driver.configureFaultEvent(0xFEE0_1000L, 0x55);
            reads(bench, NIC, 0);
            reads(bench, OTHER, 0);
            assertThat(bench.messages).containsExactly(new Bench.Message(0xFEE0_1000L, 0x55));
            assertThat(faults(driver)).hasSize(2);
            driver.maskFaultEvent();
            reads(bench, NIC, 0);
            assertThat(bench.messages).hasSize(1);
            driver.configureFaultEvent(0xFEE0_1000L, 0x56);
            assertThat(bench.messages).hasSize(2);
        }
    }

    /** GCMD writes: each differs from the status before it in exactly one bit, and never repeats a one-shot (VT-d 10.4.4). */
    @ParameterizedTest(name = "{0}")
    @MethodSource("units")
    void shouldChangeOneCommandBitAtATime(String name, RemappingOptions.Builder options) {
        try (Bench bench = new Bench(options.build())) {
            IommuDriver driver = driver(bench);
            driver.attach(NIC, driver.createDomain());
            driver.disable();
            driver.enable();
            int levels = 0;
            for (Bench.Cpu.Store store : bench.cpu.stores) {
                if (store.offset() == Bench.GCMD) {
                    int command = (int) store.value();
                    int oneShots = command & (Bench.SRTP | Bench.WBF);
                    int changed = (command ^ levels) & ~(Bench.SRTP | Bench.WBF) | oneShots;
                    assertThat(Integer.bitCount(changed)).as("0x%x", command).isEqualTo(1);
                    levels = command & ~(Bench.SRTP | Bench.WBF);
                }
            }
            assertThat(driver.isEnabled()).isTrue();
            assertThat(bench.unit.ignored(io.iolab.devices.fault.RegisterFault.ILLEGAL_STATE))
                    .isZero();
            assertThat(bench.unit.ignored(io.iolab.devices.fault.RegisterFault.UNKNOWN_OFFSET))
                    .isZero();
        }
    }

    /** After SRTP contexts go first, then the IOTLB, and only then translation comes on. */
    @Test
    void shouldInvalidateBetweenRootPointerAndTranslation() {
        try (Bench bench =
                new Bench(RemappingOptions.builder().queuedInvalidation(false).build())) {
            driver(bench);
            List<Integer> order =
                    bench.cpu.stores.stream().map(Bench.Cpu.Store::offset).toList();
            assertThat(order).containsExactly(Bench.RTADDR, Bench.GCMD, Bench.CCMD, Bench.IOTLB, Bench.GCMD);
        }
    }

    /** Mapping costs an invalidation with caching mode only; a write-buffer flush where RWBF asks for it. */
    @Test
    void shouldInvalidateOnMapInCachingModeOnly() {
        for (boolean cachingMode : new boolean[] {false, true}) {
            for (boolean flush : new boolean[] {false, true}) {
                try (Bench bench = new Bench(RemappingOptions.builder()
                        .cachingMode(cachingMode)
                        .writeBufferFlush(flush)
                        .build())) {
                    IommuDriver driver = driver(bench);
                    Domain domain = driver.createDomain();
                    driver.attach(NIC, domain);
                    long before = bench.unit.counters().invalidations(InvalidationKind.IOTLB_PAGE);
                    bench.cpu.stores.clear();
                    domain.map(IOVA, HPA, 4096, MapRights.READ);
                    assertThat(bench.unit.counters().invalidations(InvalidationKind.IOTLB_PAGE) - before)
                            .isEqualTo(cachingMode ? 1 : 0);
                    assertThat(bench.cpu.stores.stream().anyMatch(store -> store.offset() == Bench.GCMD))
                            .isEqualTo(flush && !cachingMode);
                }
            }
        }
    }

    /** One page-selective command with the smallest aligned block, or the domain where the block would be too large. */
    @Test
    void shouldInvalidateNarrowlyOnUnmap() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createDomain();
            driver.attach(NIC, domain);
            IommuCounters counters = bench.unit.counters();
            domain.map(IOVA, HPA, 4096, MapRights.READ);
            domain.unmap(IOVA, 4096);
            assertThat(counters.queuedInvalidations(InvalidationKind.IOTLB_PAGE))
                    .isEqualTo(1);
            assertThat(counters.queuedInvalidations(InvalidationKind.IOTLB_DOMAIN))
                    .isZero();
            domain.map(2 * IOVA, 0, 4L << 30, MapRights.READ);
            domain.unmap(2 * IOVA, 4L << 30);
            assertThat(counters.queuedInvalidations(InvalidationKind.IOTLB_DOMAIN))
                    .isEqualTo(1);
            assertThat(domain.unmap(IOVA, 4096)).isZero();
            assertThat(counters.queuedInvalidations(InvalidationKind.IOTLB_PAGE))
                    .as("nothing was mapped")
                    .isEqualTo(1);
        }
    }

    @Test
    void shouldUseLargestPagesThatFit() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = driver(bench);
            Domain domain = driver.createDomain();
            driver.attach(NIC, domain);
            int before = bench.frames.inUse;
            domain.map(1L << 30, 1L << 30, 3L << 30, MapRights.READ);
            assertThat(bench.frames.inUse - before).as("one level-3 table").isEqualTo(1);
            domain.map(IOVA, HPA, 6 << 20, MapRights.READ_WRITE);
            reads(bench, NIC, IOVA + (5 << 20));
            assertThat(bench.unit.counters().walkAccesses())
                    .as("2 and 3 levels: a 2 MiB page")
                    .isEqualTo(5);
            domain.map(IOVA + (6 << 20), 0x1000, 2 << 20, MapRights.READ_WRITE);
            reads(bench, NIC, IOVA + (6 << 20));
            assertThat(bench.unit.counters().walkAccesses())
                    .as("4 levels: hpa is not aligned")
                    .isEqualTo(9);
        }
    }

    @Test
    void shouldGiveTableFramesBack() {
        for (boolean largePages : new boolean[] {true, false}) {
            try (Bench bench = new Bench(RemappingOptions.builder()
                    .largePages(largePages, largePages)
                    .build())) {
                IommuDriver driver = driver(bench);
                int before = bench.frames.inUse;
                Domain domain = driver.createDomain();
                domain.map(IOVA, 0x1000, 16 << 20, MapRights.READ);
                int used = bench.frames.inUse;
                domain.unmap(IOVA, 16 << 20);
                assertThat(bench.frames.inUse).as("level-1 tables").isLessThanOrEqualTo(used - 8);
                domain.map(IOVA, 0x1000, 16 << 20, MapRights.READ);
                domain.destroy();
                assertThat(bench.frames.inUse).isEqualTo(before);
            }
        }
    }
}

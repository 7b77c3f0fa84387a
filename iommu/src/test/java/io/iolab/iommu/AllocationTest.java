package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.iolab.devices.ats.AddressTranslation;
import io.iolab.devices.ats.DeviceTlb;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.iommu.driver.DmaDirection;
import io.iolab.iommu.driver.DmaMapper;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import io.iolab.iommu.interrupt.InterruptPort;
import io.iolab.iommu.interrupt.PostedDescriptor;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Translation leaves no garbage: on a hit, on a walk, on a fault, on an invalidation. */
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ROUNDS = 20_000;

    private static long allocatedBy(Runnable work) {
        for (int i = 0; i < ROUNDS; i++) {
            work.run();
        }
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            work.run();
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private static void shouldAllocateNothing(Runnable work) {
        // The measurement itself costs some bytes; one object a round would be 320 kB.
        assertThat(allocatedBy(work)).isLessThan(ROUNDS);
    }

    @Test
    void shouldNotAllocateOnHitWalkOrFault() {
        try (Bench bench = new Bench()) {
            IommuDriver driver = new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames);
            driver.enable();
            Domain domain = driver.createDomain();
            domain.map(0, 0x1000, 8 << 20, MapRights.READ_WRITE);
            driver.attach(1, domain);
            DmaPort port = bench.unit.portFor(1);
            DmaPort stranger = bench.unit.portFor(2);
            byte[] buffer = new byte[2048];
            long[] iova = {0};

            shouldAllocateNothing(() -> port.read(0x800, buffer, 0, 2048, DmaKind.PAYLOAD));
            long misses = bench.unit.counters().iotlbMisses();
            shouldAllocateNothing(() -> {
                iova[0] = iova[0] + 4096 & (8 << 20) - 1;
                port.write(iova[0], buffer, 0, 2048, DmaKind.PAYLOAD);
            });
            assertThat(bench.unit.counters().iotlbMisses() - misses)
                    .as("2048 pages through 64 entries: every access walks")
                    .isEqualTo(2 * ROUNDS);
            shouldAllocateNothing(() -> stranger.read(0, buffer, 0, 64, DmaKind.PAYLOAD));
            shouldAllocateNothing(() -> port.storeShortRelease(0x100, 1, DmaKind.DESCRIPTOR));
        }
    }

    /** Each policy, once its addresses and slots have been used before. */
    @ParameterizedTest
    @EnumSource(names = {"STRICT", "DEFERRED", "SHADOW"})
    void shouldNotAllocateOnMapAndUnmap(DmaPolicy policy) {
        try (Bench bench = new Bench(RemappingOptions.defaults(), 24 << 20)) {
            // The bench's own processor notes every store.
            CpuPort cpu = new SilentCpu(bench.unit.registers());
            IommuDriver driver = new IommuDriver(cpu, Bench.BASE, bench.memory, bench.frames);
            driver.enable();
            DmaMapper mapper = driver.createMapper(driver.createDomain(), policy, () -> 0);
            shouldAllocateNothing(() -> mapper.unmap(mapper.map(0x20_0800, 1500, DmaDirection.BIDIRECTIONAL)));
        }
    }

    @Test
    void shouldNotAllocateOnInvalidation() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            DmaPort port = bench.unit.portFor(Tables.RID);
            shouldAllocateNothing(() -> {
                bench.unit.registers().write(Bench.IVA, 8, Tables.IOVA & -4096L);
                bench.unit.registers().write(Bench.IOTLB, 8, 1L << 63 | 3L << 60 | (long) Tables.DOMAIN << 32);
                port.loadShortAcquire(Tables.IOVA, DmaKind.DESCRIPTOR);
            });
        }
    }

    /** Remapped from the cache and past it, posted with and without notification, blocked. */
    @Test
    void shouldNotAllocateOnInterrupts() {
        RemappingOptions options = InterruptBench.options().interruptCache(1, 1).build();
        try (Bench bench = new Bench(options)) {
            RemappingUnit unit = new RemappingUnit(options, bench.memory, (address, data) -> {});
            unit.registers().write(Bench.IRTA, 8, InterruptBench.TABLE | InterruptBench.SIZE);
            unit.registers().write(Bench.GCMD, 4, Bench.SIRTP);
            unit.registers().write(Bench.GCMD, 4, Bench.IRE);
            long descriptor = 0x8_0000;
            bench.memory.writeLong(InterruptBench.TABLE, InterruptBench.fixed(0x40));
            bench.memory.writeLong(InterruptBench.TABLE + 16, InterruptBench.fixed(0x41));
            bench.memory.writeLong(
                    InterruptBench.TABLE + 32, descriptor << 32 | 0x42 << 16 | InterruptBench.POSTED | 1);
            InterruptPort port = unit.interruptPortFor(Tables.RID);
            shouldAllocateNothing(() -> port.message(InterruptBench.address(0), 0));
            shouldAllocateNothing(() -> {
                port.message(InterruptBench.address(0), 0);
                port.message(InterruptBench.address(1), 0);
            });
            assertThat(port.misses()).isGreaterThan(4L * ROUNDS - 2);
            shouldAllocateNothing(() -> {
                port.message(InterruptBench.address(2), 0);
                PostedDescriptor.clearOutstanding(bench.memory, descriptor);
            });
            assertThat(port.notifications()).isEqualTo(2 * ROUNDS);
            shouldAllocateNothing(() -> port.message(InterruptBench.address(3), 0));
        }
    }

    /** PAGE under 512 neighbouring addresses, more than any cache of the default size has room for. */
    private static Bench scalableBench(RemappingOptions options, int type) {
        Bench bench = ScalableTables.bench(options, type);
        for (int i = 0; i < 512; i++) {
            bench.memory.writeLong(ScalableTables.SECOND1 + 8 * i, ScalableTables.PAGE | 3);
            bench.memory.writeLong(ScalableTables.FIRST1 + 8 * i, ScalableTables.PAGE | 7);
        }
        return bench;
    }

    /** One of 512 pages after the other. */
    private static final class Iovas {
        private long next;

        long next() {
            next = next + 4096 & (512 << 12) - 1;
            return (ScalableTables.IOVA & -(512L << 12)) + next;
        }
    }

    /** First-level, second-level and nested, with and without paging-structure caches; pages found clean the first time. */
    @ParameterizedTest
    @CsvSource({"1,0", "1,16", "2,0", "2,16", "3,0", "3,16"})
    void shouldNotAllocateInScalableMode(int type, int tableSets) {
        RemappingOptions options = ScalableTables.options()
                .pagingStructureCache(tableSets, tableSets == 0 ? 0 : 4)
                .build();
        try (Bench bench = scalableBench(options, type)) {
            TranslationPort services = bench.unit.translationPortFor(ScalableTables.RID);
            byte[] buffer = new byte[64];
            Iovas iovas = new Iovas();
            for (DmaPort port : new DmaPort[] {services.untranslated(), services.withPasid(ScalableTables.PASID, 0)}) {
                assertThat(port.write(ScalableTables.IOVA, buffer, 0, 64, DmaKind.PAYLOAD))
                        .isEqualTo(DmaFault.NONE);
                shouldAllocateNothing(() -> port.read(ScalableTables.IOVA, buffer, 0, 64, DmaKind.PAYLOAD));
                long misses = bench.unit.counters().iotlbMisses();
                shouldAllocateNothing(() -> port.write(iovas.next(), buffer, 0, 64, DmaKind.PAYLOAD));
                assertThat(bench.unit.counters().iotlbMisses() - misses)
                        .as("all but the page that is in the caches already")
                        .isGreaterThanOrEqualTo(2 * ROUNDS - 1);
                // Not canonical, or beyond the width: refused each time.
                shouldAllocateNothing(() -> port.read(1L << 56, buffer, 0, 64, DmaKind.PAYLOAD));
            }
        }
    }

    /** Translation requests, translated requests, and both as a device TLB makes them (VT-d 4.1, 4.2). */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void shouldNotAllocateOnTranslationServices(int type) {
        try (Bench bench = scalableBench(ScalableTables.options().build(), type)) {
            TranslationPort services = bench.unit.translationPortFor(ScalableTables.RID);
            TranslationCompletion completion = new TranslationCompletion();
            DmaPort translated = services.translated();
            byte[] buffer = new byte[64];
            Iovas iovas = new Iovas();
            assertThat(services.translate(
                            ScalableTables.IOVA, TranslationPort.NO_PASID, TranslationPort.WRITE, completion))
                    .isEqualTo(TranslationStatus.SUCCESS);
            shouldAllocateNothing(() ->
                    services.translate(iovas.next(), TranslationPort.NO_PASID, TranslationPort.WRITE, completion));
            shouldAllocateNothing(
                    () -> services.translate(iovas.next(), ScalableTables.PASID, TranslationPort.READ, completion));
            shouldAllocateNothing(() -> services.translate(0, ScalableTables.PASID, TranslationPort.READ, completion));
            assertThat(translated.read(ScalableTables.PAGE, buffer, 0, 64, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NONE);
            shouldAllocateNothing(() -> translated.read(ScalableTables.PAGE, buffer, 0, 64, DmaKind.PAYLOAD));

            AddressTranslation option = new AddressTranslation(new DeviceTlb(services));
            ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
            option.addTo(config);
            config.write(ExtendedCapability.find(config, ExtendedCapability.ADDRESS_TRANSLATION) + 6, 2, 1 << 15);
            DmaPort cached = option.port();
            shouldAllocateNothing(() -> cached.write(ScalableTables.IOVA, buffer, 0, 64, DmaKind.PAYLOAD));
            long requests = option.tlb().counters().translations();
            shouldAllocateNothing(() -> cached.write(iovas.next(), buffer, 0, 64, DmaKind.PAYLOAD));
            assertThat(option.tlb().counters().translations() - requests)
                    .as("512 pages through 64 entries")
                    .isGreaterThanOrEqualTo(2 * ROUNDS - 1);
        }
    }

    private record SilentCpu(MmioHandler registers) implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return registers.read(pa - Bench.BASE, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            registers.write(pa - Bench.BASE, width, value);
        }

        @Override
        public int in(int port, int width) {
            return -1;
        }

        @Override
        public void out(int port, int width, int value) {}
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
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
import org.junit.jupiter.params.provider.EnumSource;

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

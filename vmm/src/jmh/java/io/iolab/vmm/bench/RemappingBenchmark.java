package io.iolab.vmm.bench;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.bus.MmioHandler;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.driver.Domain;
import io.iolab.iommu.driver.FrameSource;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.driver.MapRights;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A request through a remapping unit with 4 KiB pages and 48-bit tables, pages taken in random order and at random lines. How
 * many pages there are decides what is measured:
 *
 * <ul>
 *   <li>32: hits, in the few translations that a port keeps as well as in an IOTLB of 64
 *   <li>512 with {@code sets} 256: hits in an IOTLB of 1024, too many for the port
 *   <li>2048 and 65536 with {@code sets} 16: an IOTLB of 64 that mostly misses, so that a walk of four levels follows; the leaf
 *       tables are 16 KiB and 512 KiB
 * </ul>
 *
 * <p>With paging-structure caches a miss reads the leaf alone, as long as the tables of level 1 fit (64 of them here).
 *
 * <p>{@link #chase} reads the same entries of the same tables for the same addresses, and the datum, with nothing around: the
 * four dependent loads that no walk can do without, the lower bound for {@link #load16} on a miss.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class RemappingBenchmark {
    private static final int RID = 0x0100;
    private static final int BATCH = 1024;
    private static final int PAGE = 4096;
    private static final long IOVA = 0x40_0000_0000L;
    private static final long FRAMES = 4 << 20;
    private static final long DATA = 16 << 20;
    private static final int DATA_PAGES = 2048;
    private static final long REGISTERS = 0xFED9_0000L;
    private static final int RTADDR = 0x20;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    /** Pages, and sets of four in the IOTLB. */
    @Param({"32/16", "512/256", "2048/16", "65536/16"})
    public String pagesAndSets;

    /** Sets of four in each paging-structure cache; 0 for a unit without. */
    @Param({"0", "16"})
    public int tableSets;

    private final PhysicalMemory memory = PhysicalMemory.allocate(DATA + (long) DATA_PAGES * PAGE);
    private final byte[] buffer = new byte[64];
    private DmaPort port;
    private long rootTableHpa;
    private long[] iovas;
    private int turn;

    @Setup
    public void open() {
        int slash = pagesAndSets.indexOf('/');
        int pages = Integer.parseInt(pagesAndSets.substring(0, slash));
        RemappingOptions options = RemappingOptions.builder()
                .largePages(false, false)
                .pagingStructureCache(tableSets, tableSets == 0 ? 0 : 4)
                .iotlb(Integer.parseInt(pagesAndSets.substring(slash + 1)), 4)
                .build();
        RemappingUnit unit = new RemappingUnit(options, memory, (address, data) -> {});
        IommuDriver driver = new IommuDriver(new RegisterCpu(unit.registers()), REGISTERS, memory, new Frames());
        driver.enable();
        Domain domain = driver.createDomain();
        for (int i = 0; i < pages; i++) {
            domain.map(IOVA + (long) PAGE * i, DATA + (long) PAGE * (i % DATA_PAGES), PAGE, MapRights.READ_WRITE);
        }
        driver.attach(RID, domain);
        port = unit.portFor(RID);
        rootTableHpa = pageTable(unit.registers().read(RTADDR, 8) & ADDRESS);
        iovas = shuffled(pages);
    }

    /** The second-level table that the root and context entries of the requester lead to (VT-d 9.1 and 9.3). */
    private long pageTable(long rootHpa) {
        long contextTable = memory.readLong(rootHpa + 16 * (RID >>> 8)) & ADDRESS;
        return memory.readLong(contextTable + 16 * (RID & 0xFF)) & ADDRESS;
    }

    private static long[] shuffled(int pages) {
        SplittableRandom random = new SplittableRandom(42);
        long[] order = new long[Math.max(pages, BATCH)];
        for (int i = 0; i < order.length; i++) {
            order[i] = IOVA + (long) PAGE * (i % pages) + 64L * random.nextInt(PAGE / 64);
        }
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            long swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }

    @TearDown
    public void close() {
        memory.close();
    }

    private int nextBatch() {
        int from = turn;
        turn = turn + BATCH == iovas.length ? 0 : turn + BATCH;
        return from;
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int load16() {
        int from = nextBatch();
        int sum = 0;
        for (int i = from; i < from + BATCH; i++) {
            sum += port.loadShortAcquire(iovas[i], DmaKind.DESCRIPTOR);
        }
        return checked(sum);
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int read64() {
        int from = nextBatch();
        int faults = 0;
        for (int i = from; i < from + BATCH; i++) {
            faults |= port.read(iovas[i], buffer, 0, 64, DmaKind.PAYLOAD) == DmaFault.NONE ? 0 : 1;
        }
        return checked(-faults);
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int chase() {
        int from = nextBatch();
        int sum = 0;
        for (int i = from; i < from + BATCH; i++) {
            long iova = iovas[i];
            long entry = rootTableHpa;
            for (int shift = 39; shift >= 12; shift -= 9) {
                entry = memory.readLong((entry & ADDRESS) + 8 * (iova >>> shift & 511));
            }
            sum += memory.loadShortAcquire((entry & ADDRESS) + (iova & PAGE - 1)) & 0xFFFF;
        }
        return checked(sum);
    }

    /** Memory holds zeroes, so a sum below zero comes from a fault. */
    private static int checked(int sum) {
        if (sum < 0) {
            throw new IllegalStateException("a request failed");
        }
        return sum;
    }

    /** A processor that reaches the unit's registers and nothing else. */
    private record RegisterCpu(MmioHandler registers) implements CpuPort {
        @Override
        public long load(long pa, int width) {
            return registers.read(pa - REGISTERS, width);
        }

        @Override
        public void store(long pa, int width, long value) {
            registers.write(pa - REGISTERS, width, value);
        }

        @Override
        public int in(int ioPort, int width) {
            return -1;
        }

        @Override
        public void out(int ioPort, int width, int value) {}
    }

    /** Table frames, one after the other; memory starts as zeroes and no frame is used twice. */
    private static final class Frames implements FrameSource {
        private long next = FRAMES;

        @Override
        public long allocatePage() {
            long hpa = next;
            next += PAGE;
            return hpa;
        }

        @Override
        public void freePage(long hpa) {}
    }
}

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
 * A request through a remapping unit, pages of 4 KiB taken in random order. {@link #kind} says what is measured; {@link #close} checks
 * it, by the table entries that the unit says it read for each request:
 *
 * <pre>
 *   hit-recent               0   32 pages, in the few translations that a port keeps
 *   hit-iotlb                0   64 pages in an IOTLB of 64, in an order in which the port never keeps the one that is due
 *   hit-iotlb-wide           0   2048 pages in an IOTLB of 4096; the port keeps 1024 and so never the one that is due
 *   paging-structure         1   2048 pages, IOTLB of 64: misses, but the table of level 1 is known and only the leaf is read
 *   walk                     4   the same without paging-structure caches: all four levels of a second-level table
 *   walk-wide                4   the same with 65536 pages: the leaf tables are 512 KiB instead of 16
 *   first-level              4   2048 pages, scalable mode, four levels of a first-level table
 *   nested                  24   the same below a second-level table, of 4 KiB pages: 4 for each of 4 tables and the page
 *   nested-paging-structure  3   the same with paging-structure caches: the leaf, and the leaves that lead to it and to the page
 * </pre>
 *
 * <p>Two questions, and two pairs of benchmarks. {@link #load16} and {@link #chase} take each address only when the datum before has
 * arrived, as a device does that follows a descriptor: <em>latency</em>. {@link #load16Independent} and {@link #chaseIndependent} know all
 * addresses beforehand, so that a processor begins the next before it has ended one: <em>cost</em> for each, or throughput.
 *
 * <p>A chase reads the same entries of the same tables for the same addresses, and the datum, with nothing around, as if nothing were
 * cached: four dependent loads, 24 if nested, and the datum. No walk can do without them: the lower bound of a miss. The lower bound of a
 * hit is {@link #data}. A hit and a known table have less to load than the chase, which there only shows what the caches save.
 *
 * <p>Nanoseconds on one processor of a virtual machine (Xeon, 5th generation) with nothing else running beside, the faster quarter of
 * batches of 1024:
 *
 * <pre>
 *                            load16   bound   ratio    independent   bound   ratio
 *   hit-recent                  7.3     2.9     2.5            5.5
 *   hit-iotlb                  18.2     3.1     5.9           16.4
 *   hit-iotlb-wide             29.2    12.9     2.3           21.7
 *   paging-structure           36.2                           35.0
 *   walk                       38.4    24.6     1.6           33.9     6.8     5.0
 *   walk-wide                  56.3    47.9     1.2           46.1    12.0     3.8
 *   first-level                39.0    25.1     1.6      38 to 50      7.5    5 to 7
 *   nested                    122.9    87.2     1.4          119.4    47.4     2.5
 *   nested-paging-structure    69.4                           67.3
 * </pre>
 *
 * <p>So a walk is within twice its bound from end to end, and four to seven times the bare loads where these may overlap (a range is one of
 * runs of the virtual machine, which compile it differently): a request is some
 * 400 instructions, near the number that such a processor holds at once, and the compare-and-set of its fill lets no later load begin.
 * A table that is known saves three loads that mostly hit the first cache, and costs a comparison: hardly less than a walk on this machine,
 * and half of a nested one.
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
    /** TTM of RTADDR. */
    private static final long SCALABLE = 1 << 10;

    private static final int GCMD = 0x18;
    private static final long SET_ROOT = 1L << 30;
    private static final long TRANSLATE = 1L << 31;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    /** What is measured; see above. */
    @Param({
        "hit-recent",
        "hit-iotlb",
        "hit-iotlb-wide",
        "paging-structure",
        "walk",
        "walk-wide",
        "first-level",
        "nested",
        "nested-paging-structure"
    })
    public String kind;

    private final PhysicalMemory memory = PhysicalMemory.allocate(DATA + (long) DATA_PAGES * PAGE);
    private final byte[] buffer = new byte[64];
    private Case measured;
    private RemappingUnit unit;
    private DmaPort port;
    private long topTable;
    /** The second-level table below {@link #topTable}, or 0. */
    private long nestedTable;

    private long[] iovas;
    /** Where each of them leads. */
    private long[] hpas;

    private int turn;

    /**
     * @param tableType the PGTT of scalable mode, or 0 for legacy mode
     * @param entriesRead of tables, for each request
     */
    private record Case(int pages, int iotlbSets, int tableSets, int tableType, int entriesRead) {
        static Case of(String kind) {
            return switch (kind) {
                case "hit-recent" -> new Case(32, 16, 0, 0, 0);
                case "hit-iotlb" -> new Case(256, 16, 0, 0, 0);
                case "hit-iotlb-wide" -> new Case(2048, 1024, 0, 0, 0);
                case "paging-structure" -> new Case(2048, 16, 16, 0, 1);
                case "walk" -> new Case(2048, 16, 0, 0, 4);
                case "walk-wide" -> new Case(65536, 16, 0, 0, 4);
                case "first-level" -> new Case(2048, 16, 0, RemappingTables.FIRST_LEVEL, 4);
                case "nested" -> new Case(2048, 16, 0, RemappingTables.NESTED, 24);
                case "nested-paging-structure" -> new Case(2048, 16, 16, RemappingTables.NESTED, 3);
                default -> throw new IllegalArgumentException("kind " + kind);
            };
        }

        RemappingOptions options() {
            boolean scalable = tableType != 0;
            return RemappingOptions.builder()
                    .largePages(false, false)
                    .scalableMode(scalable)
                    .secondLevel(scalable)
                    .firstLevel(scalable)
                    .nested(scalable)
                    .pasidBits(scalable ? 20 : 0)
                    .pagingStructureCache(tableSets, tableSets == 0 ? 0 : 4)
                    .iotlb(iotlbSets, 4)
                    .build();
        }
    }

    @Setup
    public void open() {
        measured = Case.of(kind);
        unit = new RemappingUnit(measured.options(), memory, (address, data) -> {});
        if (measured.tableType == 0) {
            drive();
        } else {
            write();
        }
        port = unit.portFor(RID);
        long[] pages = kind.equals("hit-iotlb") ? inTurn() : shuffled(measured.pages);
        iovas = new long[pages.length];
        hpas = new long[pages.length];
        for (int i = 0; i < pages.length; i++) {
            // Of each page always the same line.
            long offset = (pages[i] * 0x9E37_79B9_7F4A_7C15L >>> 58) * 64;
            iovas[i] = IOVA + PAGE * pages[i] + offset;
            hpas[i] = DATA + PAGE * (pages[i] % DATA_PAGES) + offset;
        }
    }

    /** Legacy mode as the driver sets it up. */
    private void drive() {
        IommuDriver driver = new IommuDriver(new RegisterCpu(unit.registers()), REGISTERS, memory, new Frames());
        driver.enable();
        Domain domain = driver.createDomain();
        for (int i = 0; i < measured.pages; i++) {
            domain.map(IOVA + (long) PAGE * i, DATA + (long) PAGE * (i % DATA_PAGES), PAGE, MapRights.READ_WRITE);
        }
        driver.attach(RID, domain);
        topTable = pageTable(unit.registers().read(RTADDR, 8) & ADDRESS);
    }

    /** Scalable mode by hand. */
    private void write() {
        RemappingTables tables = new RemappingTables(memory, FRAMES);
        tables.build(RID, measured.tableType, IOVA, measured.pages, DATA, DATA_PAGES, memory.size());
        unit.registers().write(RTADDR, 8, tables.rootTable() | SCALABLE);
        unit.registers().write(GCMD, 4, SET_ROOT);
        unit.registers().write(GCMD, 4, TRANSLATE);
        topTable = tables.firstLevelTable();
        nestedTable = measured.tableType == RemappingTables.NESTED ? tables.secondLevelTable() : 0;
    }

    /** The second-level table that the root and context entries of the requester lead to (VT-d 9.1 and 9.3). */
    private long pageTable(long rootHpa) {
        long contextTable = memory.readLong(rootHpa + 16 * (RID >>> 8)) & ADDRESS;
        return memory.readLong(contextTable + 16 * (RID & 0xFF)) & ADDRESS;
    }

    private static long[] shuffled(int pages) {
        long[] order = new long[Math.max(pages, BATCH)];
        for (int i = 0; i < order.length; i++) {
            order[i] = i % pages;
        }
        shuffle(order, 0, order.length);
        return order;
    }

    /**
     * 64 pages that an IOTLB of 16 sets and 4 ways holds. A port keeps as many, but one for each 64th page: of four that compete for a
     * place it is always another one's turn.
     */
    private static long[] inTurn() {
        long[] order = new long[BATCH];
        for (int i = 0; i < BATCH; i++) {
            order[i] = 64 * (i / 16 % 4) + i % 16;
        }
        for (int from = 0; from < BATCH; from += 16) {
            shuffle(order, from, from + 16);
        }
        return order;
    }

    private static void shuffle(long[] order, int from, int to) {
        SplittableRandom random = new SplittableRandom(42 + from);
        for (int i = to - 1; i > from; i--) {
            int j = from + random.nextInt(i + 1 - from);
            long swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }

    /** Checks, where requests were made, that they were what {@link #kind} says. */
    @TearDown
    public void close() {
        memory.close();
        long requests = unit.counters().requests();
        double entriesRead = (double) unit.counters().walkAccesses() / Math.max(1, requests);
        if (requests != 0 && Math.abs(entriesRead - measured.entriesRead) > 0.1 * Math.max(0.1, measured.entriesRead)) {
            throw new IllegalStateException(kind + " read " + entriesRead + " table entries a request");
        }
    }

    private int nextBatch() {
        int from = turn;
        turn = turn + BATCH == iovas.length ? 0 : turn + BATCH;
        return from;
    }

    /** Each address waits for the datum before: how long a request takes from end to end. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long load16() {
        int from = nextBatch();
        long datum = 0;
        for (int i = from; i < from + BATCH; i++) {
            datum |= port.loadShortAcquire(iovas[i] + datum, DmaKind.DESCRIPTOR);
        }
        return checked(datum);
    }

    /** The loads of {@link #load16} alone, each address waiting likewise. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long chase() {
        int from = nextBatch();
        return checked(nestedTable == 0 ? chaseOneTable(from, -1) : chaseNested(from, -1));
    }

    /** The datum alone, at an address that needs no translation: the lower bound of a hit. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long data() {
        int from = nextBatch();
        long datum = 0;
        for (int i = from; i < from + BATCH; i++) {
            datum |= memory.loadShortAcquire(hpas[i] + datum) & 0xFFFF;
        }
        return checked(datum);
    }

    /** Addresses known beforehand, so that a processor may begin with one request while it ends another: what a request costs. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long load16Independent() {
        int from = nextBatch();
        long data = 0;
        for (int i = from; i < from + BATCH; i++) {
            data |= port.loadShortAcquire(iovas[i], DmaKind.DESCRIPTOR);
        }
        return checked(data);
    }

    /** The loads of {@link #load16Independent} alone. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long chaseIndependent() {
        int from = nextBatch();
        return checked(nestedTable == 0 ? chaseOneTable(from, 0) : chaseNested(from, 0));
    }

    /** As {@link #load16Independent}, with 64 bytes copied out. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long read64() {
        int from = nextBatch();
        int faults = 0;
        for (int i = from; i < from + BATCH; i++) {
            faults |= port.read(iovas[i], buffer, 0, 64, DmaKind.PAYLOAD) == DmaFault.NONE ? 0 : 1;
        }
        return checked(-faults);
    }

    /** @param waits -1 if each address waits for the datum before, 0 if not */
    private long chaseOneTable(int from, long waits) {
        long datum = 0;
        for (int i = from; i < from + BATCH; i++) {
            datum |= memory.loadShortAcquire(follow(topTable, iovas[i] + (datum & waits))) & 0xFFFF;
        }
        return datum;
    }

    private long chaseNested(int from, long waits) {
        long datum = 0;
        for (int i = from; i < from + BATCH; i++) {
            long iova = iovas[i] + (datum & waits);
            long entry = topTable;
            for (int shift = 39; shift >= 12; shift -= 9) {
                long entryGpa = (entry & ADDRESS) + 8 * (iova >>> shift & 511);
                entry = memory.readLong(follow(nestedTable, entryGpa));
            }
            datum |= memory.loadShortAcquire(follow(nestedTable, (entry & ADDRESS) + (iova & PAGE - 1))) & 0xFFFF;
        }
        return datum;
    }

    /** Four dependent loads. */
    private long follow(long top, long address) {
        long entry = top;
        for (int shift = 39; shift >= 12; shift -= 9) {
            entry = memory.readLong((entry & ADDRESS) + 8 * (address >>> shift & 511));
        }
        return (entry & ADDRESS) + (address & PAGE - 1);
    }

    /** Memory holds zeroes, of which neither processor nor compiler knows: anything else comes from a fault. */
    private static long checked(long data) {
        if (data != 0) {
            throw new IllegalStateException("a request failed");
        }
        return data;
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

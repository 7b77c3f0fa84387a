package io.iolab.vmm.bench;

import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.iommu.RemappingOptions;
import io.iolab.iommu.RemappingUnit;
import io.iolab.iommu.interrupt.InterruptPort;
import io.iolab.iommu.interrupt.PostedDescriptor;
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
 * An interrupt message in remappable format through the interrupt-remapping table (VT-d 5.1, 5.2), handles in random order:
 *
 * <pre>
 *   cached    32 entries in a cache of 128, remapped
 *   read      2048 entries, nearly each of them read from the table, remapped
 *   posted    as cached, but posted; a notification is outstanding already
 *   notified  as posted, and the processor takes the notification each time, so that each message makes one
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class InterruptRemappingBenchmark {
    private static final int RID = 0x0100;
    private static final int BATCH = 2048;
    private static final long TABLE = 0x1_0000;
    private static final long DESCRIPTOR = 0x8_0000;
    private static final int GCMD = 0x18;
    private static final int IRTA = 0xB8;
    /** S of IRTA: 2048 entries. */
    private static final long SIZE = 10;

    private static final long SET_TABLE = 1 << 24;
    private static final long REMAP = 1 << 25;
    private static final int VECTOR = 0x40;

    @Param({"cached", "read", "posted", "notified"})
    public String kind;

    private final PhysicalMemory memory = PhysicalMemory.allocate(1 << 20);
    private final long[] addresses = new long[BATCH];
    private InterruptPort port;
    private boolean taken;
    private long messages;

    @Setup
    public void open() {
        boolean posted = kind.equals("posted") || kind.equals("notified");
        taken = kind.equals("notified");
        RemappingOptions options = RemappingOptions.builder()
                .interruptRemapping(true)
                .postedInterrupts(true)
                .build();
        RemappingUnit unit = new RemappingUnit(options, memory, (address, data) -> messages += data);
        PostedDescriptor.initialise(memory, DESCRIPTOR, 0xF2, 5);
        for (int i = 0; i < BATCH; i++) {
            long low = posted ? DESCRIPTOR << 32 | VECTOR << 16 | 1 << 15 | 1 : 5L << 40 | VECTOR << 16 | 1;
            memory.writeLong(TABLE + 16L * i, low);
        }
        unit.registers().write(IRTA, 8, TABLE | SIZE);
        unit.registers().write(GCMD, 4, SET_TABLE);
        unit.registers().write(GCMD, 4, REMAP);
        port = unit.interruptPortFor(RID);
        SplittableRandom random = new SplittableRandom(42);
        int handles = kind.equals("read") ? BATCH : 32;
        for (int i = 0; i < BATCH; i++) {
            // Format 1, handle 14:0 in bits 19:5.
            addresses[i] = 0xFEE0_0010L | (long) random.nextInt(handles) << 5;
        }
    }

    /** Checks that the messages went the way that {@link #kind} says. */
    @TearDown
    public void close() {
        memory.close();
        long all = port.hits() + port.misses();
        boolean cached = port.misses() < all / 10;
        if (port.blocked() != 0
                || cached == kind.equals("read")
                || (port.posted() != 0) != (kind.equals("posted") || taken)
                || (port.notifications() > all / 2) != taken) {
            throw new IllegalStateException("not " + kind + ": " + port.misses() + " misses of " + all);
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long message() {
        for (long address : addresses) {
            port.message(address, 0);
            if (taken) {
                PostedDescriptor.clearOutstanding(memory, DESCRIPTOR);
            }
        }
        return messages;
    }
}

package io.iolab.vmm.bench;

import io.iolab.vmm.rings.ExchangePlan;
import io.iolab.vmm.rings.RingExchange;
import io.iolab.vmm.rings.RingLayout;
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

/** One buffer through a ring of 256 between two threads, of which JMH sees the driver's. Two processors must be free. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class RingExchangeBenchmark {
    private static final int BUFFERS = 1 << 14;

    @Param({"SPLIT", "IN_ORDER", "PACKED"})
    public RingLayout layout;

    @Param({"1", "64"})
    public int batch;

    @Param({"true", "false"})
    public boolean suppression;

    private RingExchange exchange;

    @Setup
    public void open() {
        exchange = new RingExchange(new ExchangePlan(layout, ExchangePlan.DEFAULT_SIZE, batch, suppression));
    }

    @TearDown
    public void close() {
        exchange.close();
    }

    @Benchmark
    @OperationsPerInvocation(BUFFERS)
    public void pass() {
        exchange.pass(BUFFERS);
    }
}

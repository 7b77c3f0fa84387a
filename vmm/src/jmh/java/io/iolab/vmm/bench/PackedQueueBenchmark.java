package io.iolab.vmm.bench;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.virtio.queue.DescriptorChain.Step;
import io.iolab.devices.virtio.queue.QueueLayout;
import io.iolab.devices.virtio.queue.PackedQueue;
import io.iolab.devices.virtio.queue.Virtqueue.Take;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One buffer of a full packed virtqueue of 256, payload untouched: both ends, to be
 * compared with that of the split queue.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class PackedQueueBenchmark {
    private static final int SIZE = 256;
    private static final long RING = 0x1000;
    private static final long DRIVER_EVENT = 0x2000;
    private static final long DEVICE_EVENT = 0x3000;
    private static final long BUFFERS = 0x10_0000;

    private final PhysicalMemory memory = PhysicalMemory.allocate(2 << 20);
    private final PackedDriver driver = new PackedDriver(memory, SIZE, RING);
    private final PackedQueue queue = new PackedQueue(
            new DirectDma(memory, (address, data) -> {}), SIZE, new QueueLayout(RING, DRIVER_EVENT, DEVICE_EVENT), 0);

    @TearDown
    public void close() {
        memory.close();
    }

    private void fill() {
        for (int i = 0; i < SIZE; i++) {
            driver.add(BUFFERS + 2048L * i, 2048, RingDriver.DEVICE_WRITES);
        }
        driver.publish();
    }

    @Benchmark
    @OperationsPerInvocation(SIZE)
    public long addAndUse() {
        fill();
        while (queue.take() == Take.CHAIN) {
            long room = 0;
            while (queue.chain().next() == Step.DESCRIPTOR) {
                room += queue.chain().length();
            }
            queue.complete(queue.token(), room);
        }
        queue.publish();
        return driver.reap(SIZE);
    }
}

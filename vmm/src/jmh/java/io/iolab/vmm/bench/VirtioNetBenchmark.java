package io.iolab.vmm.bench;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.irq.InterruptPin;
import io.iolab.devices.memory.PhysicalMemory;
import io.iolab.devices.net.Delivery;
import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import io.iolab.devices.virtio.queue.RingFeatures;
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
 * A frame through virtio-net with split or packed rings, event index and mergeable buffers, both ends included: the driver's descriptor,
 * the device's work, the driver's look at the used element. Transmit kicks once for a full ring of 256 (virtio 1.2 section
 * 5.1.6.2); receive publishes frame by frame (5.1.6.4). Offsets are those of the common configuration, section 4.1.4.3.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class VirtioNetBenchmark {
    private static final int SIZE = 256;
    private static final int HEADER = 12;
    private static final int BUFFER = 2048;
    private static final int RECEIVE_QUEUE = 0;
    private static final int TRANSMIT_QUEUE = 1;
    private static final long RINGS = 0x1_0000;
    private static final long RING_STRIDE = 0x1_0000;
    private static final long AVAIL = 0x4000;
    private static final long USED = 0x8000;
    private static final long BUFFERS = 0x10_0000;

    private static final int BAR = 4;
    private static final int DRIVER_FEATURE_SELECT = 0x08;
    private static final int DRIVER_FEATURE = 0x0C;
    private static final int STATUS = 0x14;
    private static final int QUEUE_SELECT = 0x16;
    private static final int QUEUE_SIZE = 0x18;
    private static final int QUEUE_ENABLE = 0x1C;
    private static final int QUEUE_DESC = 0x20;
    private static final int QUEUE_DRIVER = 0x28;
    private static final int QUEUE_DEVICE = 0x30;
    private static final int ISR = 0x1000;
    private static final int NOTIFY = 0x3000;

    /** MRG_RXBUF, INDIRECT_DESC, EVENT_IDX. */
    private static final long FEATURES_LOW = 1L << 15 | 1L << 28 | 1L << 29;

    /** VERSION_1; RING_PACKED. */
    private static final long FEATURES_HIGH = 1;

    private static final long PACKED_HIGH = 1 << 2;

    @Param({"60", "1514"})
    public int bytes;

    /** The form of the rings. */
    @Param({"split", "packed"})
    public String ring;

    private final PhysicalMemory memory = PhysicalMemory.allocate(2 << 20);
    private final CountingWire wire = new CountingWire();
    private final VirtioNet device = new VirtioNet(
            new VirtioNetOptions(
                    BenchmarkFrames.deviceMac(), SIZE, NetFeatures.DEFAULT | RingFeatures.RING_PACKED),
            new DirectDma(memory, (address, data) -> {}),
            InterruptPin.UNCONNECTED,
            wire,
            () -> 0);
    private RingDriver receiveq;
    private RingDriver transmitq;
    private byte[] frame;

    private boolean packed() {
        return ring.equals("packed");
    }

    private void common(int offset, int width, long value) {
        device.writeBar(BAR, offset, width, value);
    }

    @Setup
    public void open() {
        frame = BenchmarkFrames.toDevice(bytes);
        memory.fill(0, memory.size(), (byte) 0);
        for (int i = 0; i < SIZE; i++) {
            memory.write(BUFFERS + (long) BUFFER * i + HEADER, frame, 0, bytes);
        }
        device.config().write(0x04, 2, 0x6);
        common(STATUS, 1, 0);
        common(STATUS, 1, 0x3);
        common(DRIVER_FEATURE_SELECT, 4, 0);
        common(DRIVER_FEATURE, 4, FEATURES_LOW);
        common(DRIVER_FEATURE_SELECT, 4, 1);
        common(DRIVER_FEATURE, 4, FEATURES_HIGH | (packed() ? PACKED_HIGH : 0));
        common(STATUS, 1, 0xB);
        receiveq = enable(RECEIVE_QUEUE);
        transmitq = enable(TRANSMIT_QUEUE);
        common(STATUS, 1, 0xF);
        device.poll(1);
        if (device.readBar(BAR, STATUS, 1) != 0xF) {
            throw new IllegalStateException("the device did not start");
        }
    }

    private RingDriver enable(int queue) {
        long area = RINGS + RING_STRIDE * queue;
        common(QUEUE_SELECT, 2, queue);
        common(QUEUE_SIZE, 2, SIZE);
        common(QUEUE_DESC, 4, area);
        common(QUEUE_DRIVER, 4, area + AVAIL);
        common(QUEUE_DEVICE, 4, area + USED);
        common(QUEUE_ENABLE, 2, 1);
        return packed()
                ? new PackedDriver(memory, SIZE, area)
                : new SplitDriver(memory, SIZE, area, area + AVAIL, area + USED);
    }

    @TearDown
    public void close() {
        memory.close();
    }

    @Benchmark
    @OperationsPerInvocation(SIZE)
    public long transmit() {
        for (int i = 0; i < SIZE; i++) {
            transmitq.add(BUFFERS + (long) BUFFER * i, HEADER + bytes, 0);
        }
        transmitq.publish();
        common(NOTIFY + 4 * TRANSMIT_QUEUE, 2, TRANSMIT_QUEUE);
        device.poll(SIZE + 1);
        return transmitq.reap(SIZE) + wire.result() + device.readBar(BAR, ISR, 1);
    }

    @Benchmark
    @OperationsPerInvocation(SIZE)
    public long receive() {
        for (int i = 0; i < SIZE; i++) {
            receiveq.add(BUFFERS + (long) BUFFER * i, BUFFER, RingDriver.DEVICE_WRITES);
        }
        receiveq.publish();
        for (int i = 0; i < SIZE; i++) {
            if (device.send(frame, 0, bytes) != Delivery.ACCEPTED) {
                throw new IllegalStateException("a frame was lost");
            }
        }
        device.poll(1);
        return receiveq.reap(SIZE) + device.readBar(BAR, ISR, 1);
    }
}

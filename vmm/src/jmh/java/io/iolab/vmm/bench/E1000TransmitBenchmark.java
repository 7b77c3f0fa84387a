package io.iolab.vmm.bench;

import io.iolab.devices.e1000.E1000Model;
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
 * A 60-byte frame from a legacy descriptor with RS to the wire, write-back included (82540 SDM 3.3.3 and 3.4). One doorbell hands
 * over 255 descriptors: all that a ring of 256 takes, or a part of a larger one, whose buffers no longer fit a first-level cache.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class E1000TransmitBenchmark {
    private static final int BURST = 255;
    private static final int FRAME = 60;

    /** EOP, IFCS and RS in the command byte, bits 31:24 of the upper half. */
    private static final long DESCRIPTOR = 0xBL << 24 | FRAME;

    private static final int TCTL_EN_PSP = 1 << 1 | 1 << 3;

    @Param({"I82540EM", "I82574L"})
    public E1000Model model;

    @Param({"256", "4096"})
    public int ring;

    private final CountingWire wire = new CountingWire();
    private E1000Fixture nic;

    @Setup
    public void open() {
        nic = new E1000Fixture(model, wire, E1000Fixture.TRANSMIT, ring);
        byte[] frame = BenchmarkFrames.toPeer(FRAME);
        for (int i = 0; i < ring; i++) {
            nic.descriptor(i, frame, DESCRIPTOR);
        }
        nic.write(E1000Fixture.TCTL, TCTL_EN_PSP);
    }

    @TearDown
    public void close() {
        nic.close();
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public long frame() {
        nic.ringDoorbell(BURST);
        if (nic.device().poll(ring) != BURST) {
            throw new IllegalStateException("not all frames left");
        }
        return wire.result() + nic.read(E1000Fixture.ICR);
    }
}

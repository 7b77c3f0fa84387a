package io.iolab.vmm.bench;

import io.iolab.devices.e1000.E1000Model;
import io.iolab.devices.net.Delivery;
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
 * A frame from the wire into a receive buffer and its legacy descriptor (82540 SDM 3.2.3), as the owner of a device does it: a
 * burst of frames, a poll, then what a driver does, ICR and RDT. IP, UDP and packet checksums are computed (RXCSUM as at power-on
 * with both offloads on); the FCS is stripped, or computed and stored where the driver keeps it, as that of the 82540EM does.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class E1000ReceiveBenchmark {
    private static final int RING = 256;
    private static final int BURST = 64;
    private static final int RXCSUM_IPOFL_TUOFL = 0x300;
    private static final int RCTL_EN = 1 << 1;
    private static final int RCTL_SECRC = 1 << 26;

    @Param({"60", "1514"})
    public int bytes;

    @Param({"true", "false"})
    public boolean stripFcs;

    private byte[] frame;
    private E1000Fixture nic;

    @Setup
    public void open() {
        nic = new E1000Fixture(E1000Model.I82540EM, new CountingWire(), E1000Fixture.RECEIVE, RING);
        for (int i = 0; i < RING; i++) {
            nic.descriptor(i, new byte[0], 0);
        }
        frame = BenchmarkFrames.toDevice(bytes);
        nic.write(E1000Fixture.RXCSUM, RXCSUM_IPOFL_TUOFL);
        nic.write(E1000Fixture.RCTL, RCTL_EN | (stripFcs ? RCTL_SECRC : 0));
        nic.ringDoorbell(RING - 1);
    }

    @TearDown
    public void close() {
        nic.close();
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int frame() {
        for (int i = 0; i < BURST; i++) {
            if (nic.device().send(frame, 0, bytes) != Delivery.ACCEPTED) {
                throw new IllegalStateException("a frame was lost");
            }
        }
        nic.device().poll(RING);
        int causes = nic.read(E1000Fixture.ICR);
        nic.ringDoorbell(BURST);
        return causes;
    }
}

package io.iolab.vmm.bench;

import io.iolab.devices.net.Delivery;
import io.iolab.vmm.backend.LearningSwitch;
import io.iolab.vmm.backend.Link;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.time.Timeline;
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
 * A frame from one port of a switch to another, the address known: {@link #hop} is link, switch and link, in virtual time;
 * {@link #twoLinks} the same frame over both links by hand, which is to be taken off.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class SwitchBenchmark {
    private static final int BURST = 256;
    private static final long BITS_PER_SECOND = 1_000_000_000_000L;
    /** One millisecond: more than a burst takes on the wire and in the switch. */
    private static final long SLICE_PICOS = 1_000_000_000L;

    @Param({"60", "1514"})
    public int bytes;

    private final Timeline timeline = new Timeline();
    private final Link toSwitch = new Link("device to switch", BITS_PER_SECOND, 0, BURST);
    private final Link fromSwitch = new Link("switch to peer", BITS_PER_SECOND, 0, BURST);
    private byte[] frame;
    private long now;

    @Setup
    public void open() throws ConfigException {
        LearningSwitch learning = new LearningSwitch("switch", CostProfile.bundled(CostProfile.DEFAULT));
        Link toDevice = new Link("switch to device", BITS_PER_SECOND, 0, BURST);
        Link fromPeer = new Link("peer to switch", BITS_PER_SECOND, 0, BURST);
        learning.plug("device", toSwitch, toDevice);
        learning.plug("peer", fromPeer, fromSwitch);
        timeline.add("switch", learning);
        frame = BenchmarkFrames.toPeer(bytes);
        fromPeer.send(BenchmarkFrames.toDevice(bytes), 0, bytes, now);
        pass();
    }

    @TearDown
    public void close() {
        timeline.close();
    }

    private void pass() {
        now += SLICE_PICOS;
        timeline.until(now);
    }

    private void offer(Link link) {
        if (link.send(frame, 0, bytes, now) != Delivery.ACCEPTED) {
            throw new IllegalStateException("the link is full");
        }
    }

    private static int take(Link link, long by) {
        if (!link.arrived(by)) {
            throw new IllegalStateException("a frame was lost");
        }
        int last = link.frame()[link.frameLength() - 1];
        link.release(by);
        return last;
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int hop() {
        for (int i = 0; i < BURST; i++) {
            offer(toSwitch);
        }
        pass();
        int sum = 0;
        for (int i = 0; i < BURST; i++) {
            sum += take(fromSwitch, now);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int twoLinks() {
        for (int i = 0; i < BURST; i++) {
            offer(fromSwitch);
        }
        now += SLICE_PICOS;
        int sum = 0;
        for (int i = 0; i < BURST; i++) {
            sum += take(fromSwitch, now);
            offer(fromSwitch);
        }
        now += SLICE_PICOS;
        for (int i = 0; i < BURST; i++) {
            sum += take(fromSwitch, now);
        }
        return sum;
    }
}

package io.iolab.devices.ringorder.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The device publishes, then reads the driver's wish; the driver asks for interrupts, then looks again. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "told, and asleep")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "not told, and awake")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "told although awake")
@Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "asleep and not told: lost")
@State
public class PackedInterrupt extends RingPair {
    public PackedInterrupt() {
        super(PACKED, true);
        warm();
        takeOne();
    }

    @Actor
    public void device(II_Result r) {
        r.r1 = returnAndInterrupt();
    }

    @Actor
    public void driver(II_Result r) {
        r.r2 = askForInterrupts();
    }
}

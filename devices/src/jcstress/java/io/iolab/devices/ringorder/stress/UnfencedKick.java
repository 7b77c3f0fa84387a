package io.iolab.devices.ringorder.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The driver publishes, then reads the device's wish; the device asks for kicks, then looks again (virtio 1.2 section
 * 2.7.13.4.1). The control: a ring without its fences. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "told, and asleep")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "not told, and awake")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "told although awake")
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE_INTERESTING, desc = "lost, since nothing orders a store before a load")
@State
public class UnfencedKick extends RingPair {
    public UnfencedKick() {
        super(SPLIT, false);
        warm();
    }

    @Actor
    public void driver(II_Result r) {
        r.r1 = offerAndKick();
    }

    @Actor
    public void device(II_Result r) {
        r.r2 = askForKicks();
    }
}

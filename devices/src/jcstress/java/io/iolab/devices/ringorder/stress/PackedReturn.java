package io.iolab.devices.ringorder.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A used buffer's id and contents are visible, and those of all that were shown with it (virtio 1.2 section 2.8.22). */
@JCStressTest
@Outcome(id = "-1", expect = Expect.ACCEPTABLE, desc = "not used yet")
@Outcome(id = "1611520634", expect = Expect.ACCEPTABLE, desc = "all of it")
@Outcome(expect = Expect.FORBIDDEN, desc = "a used element or contents that are not there yet")
@State
public class PackedReturn extends RingPair {
    public PackedReturn() {
        super(PACKED, true);
        takeBoth();
    }

    @Actor
    public void device(I_Result r) {
        writeAndReturn();
    }

    @Actor
    public void driver(I_Result r) {
        r.r1 = reapAndRead();
    }
}

package io.iolab.devices.ringorder.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** An available buffer's descriptor and contents are visible (virtio 1.2 section 2.8.21). */
@JCStressTest
@Outcome(id = "-1", expect = Expect.ACCEPTABLE, desc = "not available yet")
@Outcome(id = "1611520634", expect = Expect.ACCEPTABLE, desc = "all of it")
@Outcome(expect = Expect.FORBIDDEN, desc = "a descriptor or contents that are not there yet")
@State
public class PackedOffer extends RingPair {
    public PackedOffer() {
        super(PACKED, true);
    }

    @Actor
    public void driver(I_Result r) {
        fillAndOffer();
    }

    @Actor
    public void device(I_Result r) {
        r.r1 = takeAndRead();
    }
}

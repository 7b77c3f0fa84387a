package io.iolab.devices.ringorder.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The driver writes the place of an event, then the flags that give it meaning (virtio 1.2 section 2.8.14). */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "disabled, the old place")
@Outcome(id = "1, 32769", expect = Expect.ACCEPTABLE, desc = "disabled, the new place already")
@Outcome(id = "2, 32769", expect = Expect.ACCEPTABLE, desc = "the new place")
@Outcome(expect = Expect.FORBIDDEN, desc = "flags that speak of a place not yet written")
@State
public class PackedEventOrder extends RingPair {
    public PackedEventOrder() {
        super(PACKED, true);
        warm();
    }

    @Actor
    public void driver(II_Result r) {
        askForInterrupts();
    }

    @Actor
    public void device(II_Result r) {
        r.r1 = dma.loadShortAcquire(layout.driverIova() + 2, io.iolab.devices.dma.DmaKind.DESCRIPTOR);
        r.r2 = dma.loadShortAcquire(layout.driverIova(), io.iolab.devices.dma.DmaKind.DESCRIPTOR);
    }
}

package io.iolab.vmm.inject;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;

/**
 * The device reads used_event before it publishes used.idx: it decides by what the driver wished before it last armed. Held up that
 * long, it uses the value of its previous decision.
 */
final class EventReadEarly extends Defect {
    private final SplitRings rings;
    private final Trigger trigger;

    EventReadEarly(SplitRings rings, Trigger trigger) {
        this.rings = rings;
        this.trigger = trigger;
    }

    @Override
    DmaPort dma(DmaPort port) {
        return new ForwardingDma(port) {
            private int early;

            @Override
            public int loadShortAcquire(long iova, DmaKind kind) {
                int value = super.loadShortAcquire(iova, kind);
                if (!rings.isUsedEvent(SplitRings.RECEIVE, iova)) {
                    return value;
                }
                int decidesBy = trigger.strikes() ? early : value;
                early = value;
                return decidesBy;
            }
        };
    }
}

package io.iolab.vmm.inject;

import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;

/**
 * The driver compares ring positions modulo the ring's size: 256 frames waiting in a ring of 256 are none. For the ring to fill, the
 * guest is kept from looking until then.
 */
final class FullLooksEmpty extends Defect {
    private static final int INDEX_MASK = 0xFFFF;

    private final SplitRings rings;
    private final Trigger trigger;

    FullLooksEmpty(SplitRings rings, Trigger trigger) {
        this.rings = rings;
        this.trigger = trigger;
    }

    @Override
    Memory ram(Memory memory) {
        return new ForwardingMemory(memory) {
            private int seen;

            @Override
            public short loadShortAcquire(long pa) {
                short value = super.loadShortAcquire(pa);
                if (!rings.isUsedIndex(SplitRings.RECEIVE, pa)) {
                    return value;
                }
                int waiting = value - seen & INDEX_MASK;
                if (!trigger.strikes(waiting)) {
                    seen = value;
                    return value;
                }
                return (short)
                        (waiting < rings.size(SplitRings.RECEIVE)
                                ? seen
                                : seen + waiting % rings.size(SplitRings.RECEIVE));
            }
        };
    }
}

package io.iolab.vmm.inject;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;

/**
 * The device finds the ring empty, writes avail_event and does not look again. The driver publishes in between: it still sees the
 * old avail_event and does not kick.
 *
 * <pre>
 *   device: avail.idx = n, ring empty |                                   | avail_event := n, asleep
 *   driver:                           | avail.idx := n + 1, no kick asked |
 * </pre>
 *
 * In virtual time a device's step is not interrupted, so the store of avail_event is held back until the driver has looked at it.
 */
final class KickRaceLost extends Defect {
    private final SplitRings rings;
    private final Trigger trigger;
    private volatile boolean held;
    private volatile short heldEvent;

    KickRaceLost(SplitRings rings, Trigger trigger) {
        this.rings = rings;
        this.trigger = trigger;
    }

    @Override
    DmaPort dma(DmaPort port) {
        return new ForwardingDma(port) {
            @Override
            public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
                if (rings.isAvailEvent(SplitRings.TRANSMIT, iova) && trigger.strikes()) {
                    heldEvent = (short) value;
                    held = true;
                    return DmaFault.NONE;
                }
                return super.storeShortRelease(iova, value, kind);
            }
        };
    }

    @Override
    Memory ram(Memory memory) {
        return new ForwardingMemory(memory) {
            @Override
            public short loadShortAcquire(long pa) {
                short value = super.loadShortAcquire(pa);
                if (held && rings.isAvailEvent(SplitRings.TRANSMIT, pa)) {
                    held = false;
                    super.storeShortRelease(pa, heldEvent);
                }
                return value;
            }
        };
    }
}

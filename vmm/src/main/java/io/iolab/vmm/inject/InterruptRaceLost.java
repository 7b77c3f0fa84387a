package io.iolab.vmm.inject;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * The driver finds the used ring empty, writes used_event and does not look again. The device publishes in between: it still sees
 * the old used_event and does not interrupt. The mirror of {@link KickRaceLost}: the driver's store is held back until the device
 * has looked.
 */
final class InterruptRaceLost extends Defect {
    private final SplitRings rings;
    private final Trigger trigger;
    private volatile @Nullable Memory driverRam;
    private volatile boolean held;
    private volatile short heldEvent;

    InterruptRaceLost(SplitRings rings, Trigger trigger) {
        this.rings = rings;
        this.trigger = trigger;
    }

    @Override
    Memory ram(Memory memory) {
        driverRam = memory;
        return new ForwardingMemory(memory) {
            @Override
            public void storeShortRelease(long pa, short value) {
                if (rings.isUsedEvent(SplitRings.RECEIVE, pa) && trigger.strikes()) {
                    heldEvent = value;
                    held = true;
                } else {
                    super.storeShortRelease(pa, value);
                }
            }
        };
    }

    @Override
    DmaPort dma(DmaPort port) {
        return new ForwardingDma(port) {
            @Override
            public int loadShortAcquire(long iova, DmaKind kind) {
                int value = super.loadShortAcquire(iova, kind);
                Memory ram = driverRam;
                if (held && ram != null && rings.isUsedEvent(SplitRings.RECEIVE, iova)) {
                    held = false;
                    ram.storeShortRelease(iova, heldEvent);
                }
                return value;
            }
        };
    }
}

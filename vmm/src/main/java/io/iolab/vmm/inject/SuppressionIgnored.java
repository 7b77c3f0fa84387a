package io.iolab.vmm.inject;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;

/** The device interrupts for everything that it returns, whatever used_event says: as if the event were the entry just written. */
final class SuppressionIgnored extends Defect {
    private static final int INDEX_MASK = 0xFFFF;

    private final SplitRings rings;
    private final Trigger trigger;

    SuppressionIgnored(SplitRings rings, Trigger trigger) {
        this.rings = rings;
        this.trigger = trigger;
    }

    @Override
    DmaPort dma(DmaPort port) {
        return new ForwardingDma(port) {
            private int used;

            @Override
            public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
                if (rings.isUsedIndex(SplitRings.TRANSMIT, iova)) {
                    used = value;
                }
                return super.storeShortRelease(iova, value, kind);
            }

            @Override
            public int loadShortAcquire(long iova, DmaKind kind) {
                int value = super.loadShortAcquire(iova, kind);
                boolean ignored = rings.isUsedEvent(SplitRings.TRANSMIT, iova) && trigger.strikes();
                return ignored ? used - 1 & INDEX_MASK : value;
            }
        };
    }
}

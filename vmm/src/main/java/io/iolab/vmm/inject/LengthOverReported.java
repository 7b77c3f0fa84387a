package io.iolab.vmm.inject;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;

/** used.len says more than was written: another buffer's worth. */
final class LengthOverReported extends Defect {
    private static final int ELEMENT = 8;
    private static final int LENGTH = 4;
    private static final int TOO_MUCH = 2048;
    private static final int LARGEST_RING = 32768;

    private final SplitRings rings;
    private final Trigger trigger;

    LengthOverReported(SplitRings rings, Trigger trigger) {
        this.rings = rings;
        this.trigger = trigger;
    }

    @Override
    DmaPort dma(DmaPort port) {
        return new ForwardingDma(port) {
            private final byte[] elements = new byte[ELEMENT * LARGEST_RING];

            @Override
            public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
                if (kind != DmaKind.DESCRIPTOR
                        || length > elements.length
                        || !rings.areUsedElements(SplitRings.RECEIVE, iova, length)) {
                    return super.write(iova, source, offset, length, kind);
                }
                System.arraycopy(source, offset, elements, 0, length);
                for (int at = LENGTH; at < length; at += ELEMENT) {
                    if (trigger.strikes()) {
                        LittleEndian.putInt(elements, at, LittleEndian.getInt(elements, at) + TOO_MUCH);
                    }
                }
                return super.write(iova, elements, 0, length, kind);
            }
        };
    }
}

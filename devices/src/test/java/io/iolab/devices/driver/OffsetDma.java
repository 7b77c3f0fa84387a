package io.iolab.devices.driver;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;

/** The plainest of translations: RAM appears to devices at a fixed distance, above 4 GiB. A driver that forgets one is found out. */
record OffsetDma(DmaPort port, long distance) implements DmaPort {
    private long translated(long iova) {
        return MessagePort.claims(iova) ? iova : iova - distance;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return port.read(translated(iova), target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return port.write(translated(iova), source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return port.loadShortAcquire(translated(iova), kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return port.storeShortRelease(translated(iova), value, kind);
    }
}

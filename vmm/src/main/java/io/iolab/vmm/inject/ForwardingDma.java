package io.iolab.vmm.inject;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;

/** A port that passes everything on; a defect changes one method. */
class ForwardingDma implements DmaPort {
    private final DmaPort port;

    ForwardingDma(DmaPort port) {
        this.port = port;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return port.read(iova, target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return port.write(iova, source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return port.loadShortAcquire(iova, kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return port.storeShortRelease(iova, value, kind);
    }
}

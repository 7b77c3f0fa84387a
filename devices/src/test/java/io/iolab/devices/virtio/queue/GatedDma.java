package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;

/** Counts requests, and refuses those to {@link #refused}. */
final class GatedDma implements DmaPort {
    private final DmaPort port;
    long requests;
    long bytes;
    long refused = -1;

    GatedDma(DmaPort port) {
        this.port = port;
    }

    private void count(int length) {
        requests++;
        bytes += length;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        count(length);
        return iova == refused ? DmaFault.NO_READ : port.read(iova, target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        count(length);
        return iova == refused ? DmaFault.NO_WRITE : port.write(iova, source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        count(2);
        return iova == refused ? -1 : port.loadShortAcquire(iova, kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        count(2);
        return iova == refused ? DmaFault.NO_WRITE : port.storeShortRelease(iova, value, kind);
    }
}

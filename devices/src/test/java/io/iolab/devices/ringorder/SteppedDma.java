package io.iolab.devices.ringorder;

import io.iolab.devices.dma.DirectDma;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;

/** Direct DMA whose fence is that of the memory behind it. */
final class SteppedDma implements DmaPort {
    private final DirectDma dma;
    private final SteppedMemory memory;

    SteppedDma(SteppedMemory memory) {
        this.memory = memory;
        this.dma = new DirectDma(memory, (address, data) -> {});
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return dma.read(iova, target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return dma.write(iova, source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return dma.loadShortAcquire(iova, kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return dma.storeShortRelease(iova, value, kind);
    }

    @Override
    public void storeLoadFence() {
        memory.storeLoadFence();
    }
}

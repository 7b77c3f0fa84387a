package io.iolab.vmm;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;

/**
 * A device's way to memory through a remapping unit, with its interrupt messages, which no translation changes, straight to the processor
 * of the machine that it is in.
 *
 * @param translated everything but messages
 * @param messages takes writes to the interrupt range
 */
record BehindUnit(DmaPort translated, DmaPort messages) implements DmaPort {
    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return translated.read(iova, target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        DmaPort port = MessagePort.claims(iova) ? messages : translated;
        return port.write(iova, source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return translated.loadShortAcquire(iova, kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return translated.storeShortRelease(iova, value, kind);
    }
}

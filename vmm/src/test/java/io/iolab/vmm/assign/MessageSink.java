package io.iolab.vmm.assign;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import java.util.function.IntConsumer;

/** Where a guest's interrupt messages end: nothing but writes arrive, and the lowest byte of the data says which. */
record MessageSink(IntConsumer arrived) implements DmaPort {
    @Override
    public DmaFault write(long address, byte[] source, int offset, int length, DmaKind kind) {
        arrived.accept(source[offset]);
        return DmaFault.NONE;
    }

    @Override
    public DmaFault read(long address, byte[] target, int offset, int length, DmaKind kind) {
        return DmaFault.NOT_MAPPED;
    }

    @Override
    public int loadShortAcquire(long address, DmaKind kind) {
        return DmaFault.NOT_MAPPED.asResult();
    }

    @Override
    public DmaFault storeShortRelease(long address, int value, DmaKind kind) {
        return DmaFault.NOT_MAPPED;
    }
}

package io.iolab.devices.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import java.util.ArrayList;
import java.util.List;

/** A DMA port that writes down what comes through. */
final class MessageLog implements DmaPort {
    record Write(long iova, int data, DmaKind kind) {}

    final List<Write> writes = new ArrayList<>();
    int otherRequests;

    /** What has arrived since the last call. */
    List<Write> take() {
        List<Write> taken = List.copyOf(writes);
        writes.clear();
        return taken;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        otherRequests++;
        return DmaFault.NONE;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        writes.add(new Write(iova, length == 4 ? LittleEndian.getInt(source, offset) : length, kind));
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        otherRequests++;
        return 0x1234;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        otherRequests++;
        return DmaFault.NO_WRITE;
    }
}

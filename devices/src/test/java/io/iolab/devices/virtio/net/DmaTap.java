package io.iolab.devices.virtio.net;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import java.util.ArrayList;
import java.util.List;

/** A port that records what passes, can refuse a range, and lets a test act between two requests. */
final class DmaTap implements DmaPort {
    enum Op {
        READ,
        WRITE,
        LOAD,
        STORE
    }

    record Request(Op op, long iova, int length, DmaKind kind) {}

    /** Runs before a request is carried out. */
    interface Before {
        void request(Op op, long iova, int length);
    }

    final List<Request> requests = new ArrayList<>();
    /** Requests that touch {@code [refusedFrom, refusedTo)} fault. */
    long refusedFrom;

    long refusedTo;
    Before before = (op, iova, length) -> {};
    private final DmaPort port;

    DmaTap(DmaPort port) {
        this.port = port;
    }

    private boolean passes(Op op, long iova, int length, DmaKind kind) {
        before.request(op, iova, length);
        requests.add(new Request(op, iova, length, kind));
        return iova >= refusedTo || iova + length <= refusedFrom;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return passes(Op.READ, iova, length, kind)
                ? port.read(iova, target, offset, length, kind)
                : DmaFault.NOT_MAPPED;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return passes(Op.WRITE, iova, length, kind)
                ? port.write(iova, source, offset, length, kind)
                : DmaFault.NO_WRITE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return passes(Op.LOAD, iova, 2, kind) ? port.loadShortAcquire(iova, kind) : DmaFault.NOT_MAPPED.asResult();
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return passes(Op.STORE, iova, 2, kind) ? port.storeShortRelease(iova, value, kind) : DmaFault.NO_WRITE;
    }
}

package io.iolab.devices.golden;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import java.util.Objects;

/** Counts the requests of a device, checks that they keep the contract of {@link DmaPort}, and can refuse some. */
public final class GuardDma implements DmaPort {
    private final DmaPort target;
    private long requests;
    private long bytesRead;
    private long bytesWritten;
    private long faults;
    private int refuseEvery;

    public GuardDma(DmaPort target) {
        this.target = target;
    }

    /** Makes one request in {@code n} fail as an IOMMU without a mapping would; 0 for none. */
    public void refuseEvery(int n) {
        refuseEvery = n;
    }

    public long requests() {
        return requests;
    }

    public long bytesRead() {
        return bytesRead;
    }

    public long bytesWritten() {
        return bytesWritten;
    }

    /** Requests that were answered with a fault. */
    public long faults() {
        return faults;
    }

    @Override
    public DmaFault read(long iova, byte[] bytes, int offset, int length, DmaKind kind) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (refused()) {
            return DmaFault.NOT_MAPPED;
        }
        DmaFault fault = counted(target.read(iova, bytes, offset, length, kind));
        bytesRead += fault == DmaFault.NONE ? length : 0;
        return fault;
    }

    @Override
    public DmaFault write(long iova, byte[] bytes, int offset, int length, DmaKind kind) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (refused()) {
            return DmaFault.NOT_MAPPED;
        }
        DmaFault fault = counted(target.write(iova, bytes, offset, length, kind));
        bytesWritten += fault == DmaFault.NONE ? length : 0;
        return fault;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        if (refused()) {
            return DmaFault.NOT_MAPPED.asResult();
        }
        int result = target.loadShortAcquire(iova, kind);
        counted(DmaFault.of(result));
        return result;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return refused() ? DmaFault.NOT_MAPPED : counted(target.storeShortRelease(iova, value, kind));
    }

    private boolean refused() {
        requests++;
        boolean refused = refuseEvery != 0 && requests % refuseEvery == 0;
        faults += refused ? 1 : 0;
        return refused;
    }

    private DmaFault counted(DmaFault fault) {
        faults += fault == DmaFault.NONE ? 0 : 1;
        return fault;
    }
}

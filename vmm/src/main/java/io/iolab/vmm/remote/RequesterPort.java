package io.iolab.vmm.remote;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.iommu.RemappingUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A function's way through the remapping unit under the requester id that it has at the moment: behind a root port the bus number is the
 * guest's to choose, and a reset of the machine brings a fresh unit.
 */
final class RequesterPort implements DmaPort {
    private final Supplier<RemappingUnit> unit;
    private final IntSupplier requester;
    private @Nullable RemappingUnit of;
    private @Nullable DmaPort port;
    private int rid;

    RequesterPort(Supplier<RemappingUnit> unit, IntSupplier requester) {
        this.unit = unit;
        this.requester = requester;
    }

    private DmaPort port() {
        RemappingUnit now = unit.get();
        int id = requester.getAsInt();
        DmaPort current = port;
        if (current == null || now != of || id != rid) {
            current = now.portFor(id);
            port = current;
            of = now;
            rid = id;
        }
        return current;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return port().read(iova, target, offset, length, kind);
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return port().write(iova, source, offset, length, kind);
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return port().loadShortAcquire(iova, kind);
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return port().storeShortRelease(iova, value, kind);
    }
}

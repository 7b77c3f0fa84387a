package io.iolab.vmm.backend;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;

/**
 * The "DMA" of a device that is software: a host processor copies. Payload is counted as copied bytes and charged per call and
 * byte; descriptors are single cache lines and belong to the back end's cost per packet.
 */
public final class CopyingDma implements DmaPort {
    private final DmaPort port;
    private final WorkAccount account;
    private final GuestLedger ledger;
    private final long callPicos;
    private final long bytePicos;

    public CopyingDma(DmaPort port, WorkAccount account, GuestLedger ledger, CostProfile profile) {
        this.port = port;
        this.account = account;
        this.ledger = ledger;
        callPicos = profile.picos(Cost.COPY_CALL);
        bytePicos = profile.picos(Cost.COPY_BYTE);
    }

    private void moved(Access access, DmaKind kind, int length, DmaFault fault) {
        if (fault != DmaFault.NONE) {
            return;
        }
        ledger.dma(access, kind, length);
        if (kind == DmaKind.PAYLOAD) {
            ledger.copied(length);
            account.spendCopying(callPicos + length * bytePicos);
        }
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        DmaFault fault = port.read(iova, target, offset, length, kind);
        moved(Access.READ, kind, length, fault);
        return fault;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        DmaFault fault = port.write(iova, source, offset, length, kind);
        moved(Access.WRITE, kind, length, fault);
        return fault;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        int result = port.loadShortAcquire(iova, kind);
        moved(Access.READ, kind, 2, DmaFault.of(result));
        return result;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        DmaFault fault = port.storeShortRelease(iova, value, kind);
        moved(Access.WRITE, kind, 2, fault);
        return fault;
    }
}

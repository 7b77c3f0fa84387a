package io.iolab.vmm.backend;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import java.util.function.LongSupplier;

/**
 * The DMA of a physical NIC over its PCIe link. The NIC's engine pays, for each request, the time its TLPs occupy the link,
 * and the memory accesses of page walks that the IOMMU made for it. A descriptor fetch is waited for, since nothing can be
 * done before it is there; payload reads are pipelined, so their latency does not add up. Posted writes are not waited for,
 * and messages are not charged.
 */
public final class PcieDma implements DmaPort {
    /** Maximum payload size, bytes: the 128 that every function must take (PCI Express Base, Device Control 7:5). */
    private static final int MAX_PAYLOAD = 128;

    private final DmaPort port;
    private final WorkAccount account;
    private final GuestLedger ledger;
    private final LongSupplier walkAccesses;
    private final long readPicos;
    private final long bytePicos;
    private final long tlpPicos;
    private final long walkPicos;
    private long walksSeen;

    /** @param walkAccesses page-table memory accesses made for this requester so far */
    public PcieDma(
            DmaPort port, WorkAccount account, GuestLedger ledger, CostProfile profile, LongSupplier walkAccesses) {
        this.port = port;
        this.account = account;
        this.ledger = ledger;
        this.walkAccesses = walkAccesses;
        readPicos = profile.picos(Cost.PCIE_READ);
        bytePicos = profile.picos(Cost.PCIE_BYTE);
        tlpPicos = profile.picos(Cost.PCIE_TLP);
        walkPicos = profile.picos(Cost.IOMMU_WALK_ACCESS);
    }

    private void moved(Access access, DmaKind kind, int length, DmaFault fault) {
        long walks = walkAccesses.getAsLong();
        long picos = (walks - walksSeen) * walkPicos;
        walksSeen = walks;
        if (fault == DmaFault.NONE && kind != DmaKind.MESSAGE) {
            ledger.dma(access, kind, length);
            int tlps = (length + MAX_PAYLOAD - 1) / MAX_PAYLOAD;
            picos += tlps * tlpPicos + length * bytePicos;
            if (access == Access.READ && kind == DmaKind.DESCRIPTOR) {
                picos += readPicos;
            }
        }
        account.spend(picos);
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

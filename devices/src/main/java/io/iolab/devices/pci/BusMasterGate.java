package io.iolab.devices.pci;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;

/**
 * Command register bit 2: while it is clear the function issues no memory request, messages included, and what it wanted to
 * send is lost (PCI Local Bus 3.0 section 6.2.2).
 */
public final class BusMasterGate implements DmaPort {
    private final ConfigSpace config;
    private final DmaPort port;

    public BusMasterGate(ConfigSpace config, DmaPort port) {
        this.config = config;
        this.port = port;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        return config.busMaster() ? port.read(iova, target, offset, length, kind) : DmaFault.BUS_MASTER_OFF;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        return config.busMaster() ? port.write(iova, source, offset, length, kind) : DmaFault.BUS_MASTER_OFF;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        return config.busMaster() ? port.loadShortAcquire(iova, kind) : DmaFault.BUS_MASTER_OFF.asResult();
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        return config.busMaster() ? port.storeShortRelease(iova, value, kind) : DmaFault.BUS_MASTER_OFF;
    }
}

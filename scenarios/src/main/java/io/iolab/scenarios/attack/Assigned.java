package io.iolab.scenarios.attack;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.vmm.assign.VfioContainer;
import io.iolab.vmm.pci.ProbeFunction;

/** A function in the hands of a guest. */
record Assigned(ProbeFunction function, VfioContainer container) {
    DmaPort dma() {
        return function.dma();
    }

    DmaFault read(long iova, byte[] into) {
        return dma().read(iova, into, 0, into.length, DmaKind.PAYLOAD);
    }

    DmaFault write(long iova, byte[] bytes) {
        return dma().write(iova, bytes, 0, bytes.length, DmaKind.PAYLOAD);
    }

    /** A message-signalled interrupt, which is nothing but a write. */
    DmaFault message(long address, int data) {
        return write(
                address, new byte[] {(byte) data, (byte) (data >>> 8), (byte) (data >>> 16), (byte) (data >>> 24)});
    }
}

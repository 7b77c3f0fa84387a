package io.iolab.vmm.pci;

import io.iolab.devices.dma.DmaPort;

/** Where requests that leave the fabric at the top go on: an IOMMU, or memory itself. */
public interface RootComplex {

    /**
     * The way on for requests with untranslated addresses.
     *
     * @param rid the requester id that the requests carry, 16 bits
     */
    DmaPort portFor(int rid);

    /** The way on for requests that say their address is translated already (AT = 10b); by default nobody believes that. */
    default DmaPort translatedPortFor(int rid) {
        return portFor(rid);
    }
}

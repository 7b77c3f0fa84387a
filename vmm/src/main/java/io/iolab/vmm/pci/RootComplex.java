package io.iolab.vmm.pci;

import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.iommu.RemappingUnit;
import java.util.Optional;

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
        return translationPortFor(rid).map(TranslationPort::translated).orElseGet(() -> portFor(rid));
    }

    /** Translation services for a requester; by default there are none, and translation requests are unsupported. */
    default Optional<TranslationPort> translationPortFor(int rid) {
        return Optional.empty();
    }

    /** A root complex whose requests all pass this unit, translation services included. */
    static RootComplex of(RemappingUnit unit) {
        return new RootComplex() {
            @Override
            public DmaPort portFor(int rid) {
                return unit.portFor(rid);
            }

            @Override
            public Optional<TranslationPort> translationPortFor(int rid) {
                return Optional.of(unit.translationPortFor(rid));
            }
        };
    }
}

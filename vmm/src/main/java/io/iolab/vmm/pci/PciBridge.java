package io.iolab.vmm.pci;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * A bridge from PCI Express to a conventional bus (PCI Express to PCI/PCI-X Bridge 1.0 section 2.3). Requests from behind it carry the
 * bridge's alias, since the conventional bus has no requester ids: secondary bus, device 0, function 0; some bridges use their own.
 *
 * <p>Threading: as {@link PciHost}.
 */
public final class PciBridge extends Bridge {
    private static final int VENDOR = 0x104C;
    private static final int DEVICE = 0x8231;
    private static final int BRIDGE_CLASS = 0x060400;
    private static final int PCIE = 0x40;
    private static final int DEVICES = 32;

    /** Which requester id the bridge puts on requests from behind it. */
    public enum Alias {
        /** Secondary bus, device 0, function 0: what the specification says. */
        SECONDARY_BUS,
        /** The bridge's own requester id, as some bridges do. */
        OWN
    }

    private final Alias alias;

    PciBridge(Alias alias) {
        super(new ConfigSpace(VENDOR, DEVICE, 3, BRIDGE_CLASS), PciExpress.Type.PCIE_TO_PCI_BRIDGE);
        this.alias = alias;
        new PciExpress(config(), PCIE, PciExpress.Type.PCIE_TO_PCI_BRIDGE, null);
        config().seal();
    }

    /** @param device 0 to 31 */
    void attach(int device, int function, PciFunction behind) {
        if (device < 0 || device >= DEVICES || function < 0 || function > 7) {
            throw new IllegalArgumentException("no place at device " + device + ", function " + function);
        }
        put(device << 3 | function, behind);
    }

    /** Whose requester id requests from behind carry. */
    public Alias alias() {
        return alias;
    }

    /** The requester id of everything behind, as bus numbers are programmed now. */
    int aliasRid() {
        return alias == Alias.OWN ? rid() : RequesterId.of(secondaryBus(), 0, 0);
    }

    /** A conventional bus has none. */
    @Override
    @Nullable
    AccessControlServices accessControl() {
        return null;
    }
}

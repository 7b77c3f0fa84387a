package io.iolab.vmm.inject;

import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/** The NIC as the guest sees it on its bus: tells register accesses by BAR and offset, as its configuration space has them now. */
final class PluggedFunction {
    private static final int CAPABILITY_VENDOR = 9;
    private static final int MOST_CAPABILITIES = 48;

    private volatile @Nullable PciFunction function;

    void plug(PciFunction plugged) {
        function = plugged;
    }

    /** Where in memory BAR {@code index} an address lies; -1 if outside. */
    long offset(int index, long pa) {
        PciFunction f = function;
        Bar bar = f == null ? null : f.config().bar(index);
        if (f == null || bar == null || !bar.isMemory() || !f.config().barDecodes(index)) {
            return -1;
        }
        long offset = pa - f.config().barAddress(index);
        return offset >= 0 && offset < bar.size() ? offset : -1;
    }

    /** Where in a register block of a virtio device an address lies (virtio 1.2 section 4.1.4); -1 if outside. */
    long virtioOffset(int configType, long pa) {
        PciFunction f = function;
        if (f == null) {
            return -1;
        }
        ConfigSpace config = f.config();
        int at = config.read(ConfigSpace.CAPABILITIES_POINTER, 1);
        for (int i = 0; at != 0 && i < MOST_CAPABILITIES; i++) {
            if (config.read(at, 1) == CAPABILITY_VENDOR && config.read(at + 3, 1) == configType) {
                long inBar = offset(config.read(at + 4, 1), pa);
                long inBlock = inBar - (config.read(at + 8, 4) & 0xFFFF_FFFFL);
                return inBar >= 0 && inBlock >= 0 && inBlock < (config.read(at + 12, 4) & 0xFFFF_FFFFL) ? inBlock : -1;
            }
            at = config.read(at + 1, 1);
        }
        return -1;
    }
}

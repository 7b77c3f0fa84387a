package io.iolab.devices.virtio;

import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;

/**
 * The PCI configuration access capability (virtio 1.2 section 4.1.4.9): a window for software that cannot reach the BARs.
 * The driver sets cap.bar, cap.offset and cap.length; reading or writing pci_cfg_data then performs that access.
 */
final class PciConfigurationAccess {
    private static final int BAR = 4;
    private static final int OFFSET = 8;
    private static final int LENGTH = 12;
    private static final int DATA = 16;

    private final PciFunction function;
    private final ConfigSpace config;
    private final int capability;

    /** @param capability an already defined capability of 20 bytes in the function's configuration space */
    PciConfigurationAccess(PciFunction function, ConfigSpace config, int capability) {
        this.function = function;
        this.config = config;
        this.capability = capability;
        config.field(capability + BAR, 1, 0, 0xFF, 0)
                .field(capability + OFFSET, 4, 0, -1, 0)
                .field(capability + LENGTH, 4, 0, -1, 0)
                .field(capability + DATA, 4, 0, -1, 0)
                .onRead(capability + DATA, 4, this::read)
                .onWrite(capability + DATA, 4, this::write);
    }

    private void read() {
        if (valid()) {
            config.put(capability + DATA, length(), (int) function.readBar(bar(), offset(), length()));
        }
    }

    private void write() {
        if (valid()) {
            long mask = (1L << 8 * length()) - 1;
            function.writeBar(bar(), offset(), length(), config.get(capability + DATA, 4) & mask);
        }
    }

    /** Length 1, 2 or 4, an offset that is a multiple of it, inside of a BAR that exists (section 4.1.4.9.2). */
    private boolean valid() {
        int length = length();
        Bar window = bar() < 6 ? config.bar(bar()) : null;
        return (length == 1 || length == 2 || length == 4)
                && window != null
                && offset() % length == 0
                && offset() <= window.size() - length;
    }

    private int bar() {
        return config.get(capability + BAR, 1);
    }

    private long offset() {
        return config.get(capability + OFFSET, 4) & 0xFFFF_FFFFL;
    }

    private int length() {
        return config.get(capability + LENGTH, 4);
    }
}

package io.iolab.vmm.assign;

import io.iolab.devices.pci.ConfigSpace;

/**
 * Configuration space as the user of an assigned function sees it: {@link Identity} and capabilities of the real one, but BARs, command
 * register and MSI-X are copies of the user's own.
 */
final class VirtualConfig {
    static final int MSI = 0x05;
    static final int MSIX = 0x11;
    private static final int POWER_MANAGEMENT = 0x01;
    private static final int PCI_EXPRESS = 0x10;
    /** More than fit between 0x40 and 0xFF, so a damaged list ends. */
    private static final int MAX_CAPABILITIES = 48;

    /** Adds a capability to the copy, in its place in the list. */
    @FunctionalInterface
    interface Copy {
        /** Leaves it out. */
        Copy NONE = (copy, real, capability) -> {};

        void add(ConfigSpace copy, ConfigSpace real, int capability);
    }

    private VirtualConfig() {}

    /** Not sealed yet. */
    static ConfigSpace of(ConfigSpace real, Identity identity, Copy msix, Copy msi) {
        ConfigSpace config = new ConfigSpace(
                        identity.vendorId(),
                        identity.deviceId(),
                        real.get(ConfigSpace.REVISION_ID, 1),
                        real.get(ConfigSpace.CLASS_CODE, 2) | real.get(ConfigSpace.CLASS_CODE + 2, 1) << 16)
                .subsystem(real.get(ConfigSpace.SUBSYSTEM_VENDOR_ID, 2), real.get(ConfigSpace.SUBSYSTEM_ID, 2))
                .interruptPin(real.get(ConfigSpace.INTERRUPT_PIN, 1));
        identity.bars().forEach(config::bar);
        int at = real.get(ConfigSpace.CAPABILITIES_POINTER, 1);
        for (int i = 0; at >= 0x40 && i < MAX_CAPABILITIES; i++) {
            switch (real.get(at, 1)) {
                case MSIX -> msix.add(config, real, at);
                case MSI -> msi.add(config, real, at);
                case POWER_MANAGEMENT -> copy(config, real, at, 8);
                case PCI_EXPRESS -> copy(config, real, at, 0x14);
                default -> {
                    // Not shown to the user.
                }
            }
            at = real.get(at + 1, 1);
        }
        return config;
    }

    private static void copy(ConfigSpace config, ConfigSpace real, int at, int length) {
        config.capability(at, real.get(at, 1));
        for (int i = 2; i < length; i++) {
            config.field(at + i, 1, real.get(at + i, 1), 0, 0);
        }
    }

    /** Where a capability of the real function is; 0 for none. */
    static int find(ConfigSpace real, int id) {
        int at = real.get(ConfigSpace.CAPABILITIES_POINTER, 1);
        for (int i = 0; at >= 0x40 && i < MAX_CAPABILITIES; i++) {
            if (real.get(at, 1) == id) {
                return at;
            }
            at = real.get(at + 1, 1);
        }
        return 0;
    }
}

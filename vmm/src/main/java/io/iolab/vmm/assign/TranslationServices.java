package io.iolab.vmm.assign;

import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.ExtendedCapability;

/**
 * The ATS capability of functions, as the host switches it (PCI Express Base section 10.5.1). It is not the user's: a virtual
 * configuration space does not show it.
 */
final class TranslationServices {
    private static final int MAX_CAPABILITIES = 96;
    private static final int CONTROL = 6;
    /** With the smallest translation unit, 4 KiB. */
    private static final int ENABLE = 1 << 15;

    private final ConfigAccess config;

    TranslationServices(ConfigAccess config) {
        this.config = config;
    }

    /** Whether a function has them. */
    boolean offered(int rid) {
        return find(rid) != 0;
    }

    boolean enabled(int rid) {
        int at = find(rid);
        return at != 0 && (config.read(rid, at + CONTROL, 2) & ENABLE) != 0;
    }

    /** Nothing for a function without. */
    void enable(int rid, boolean on) {
        int at = find(rid);
        if (at != 0) {
            config.write(rid, at + CONTROL, 2, on ? ENABLE : 0);
        }
    }

    private int find(int rid) {
        return find(config, rid, ExtendedCapability.ADDRESS_TRANSLATION);
    }

    /** Where an extended capability of a function is; 0 for none. */
    static int find(ConfigAccess config, int rid, int id) {
        int at = ExtendedCapability.FIRST;
        for (int i = 0; i < MAX_CAPABILITIES && at >= ExtendedCapability.FIRST; i++) {
            int header = config.read(rid, at, 4);
            if (header == -1) {
                return 0;
            }
            if (header != 0 && (header & 0xFFFF) == id) {
                return at;
            }
            at = header >>> 20 & 0xFFC;
        }
        return 0;
    }
}

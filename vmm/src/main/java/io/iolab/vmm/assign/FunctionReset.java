package io.iolab.vmm.assign;

import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.AdvancedFeatures;
import io.iolab.devices.pci.BridgeHeader;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PowerManagement;

/**
 * How a function is reset when it changes hands: function-level reset, the same by Advanced Features, a round trip through D3hot, the
 * secondary bus of the bridge above; the first that there is. What the host needs is put back afterwards ({@link SavedFunction}).
 */
final class FunctionReset {
    private static final int MAX_CAPABILITIES = 48;
    private static final int FLR_CAPABLE = 1 << 28;
    private static final int AF_CAPABLE = 3;
    private static final int INITIATE_FLR = 1 << 15;
    private static final int NO_SOFT_RESET = 1 << 3;
    private static final int POWER_STATE = 3;
    private static final int D3HOT = 3;
    private static final int SECONDARY_BUS = 0x19;

    /** What a function can be reset by, in the order of preference. */
    enum Method {
        FLR,
        AF_FLR,
        PM,
        /** The secondary bus of the bridge above, if nobody else is on it. */
        BUS,
        NONE
    }

    private final ConfigAccess config;
    private final int rid;
    private final int bridgeRid;

    /** @param bridgeRid the bridge above; -1 on bus 0 */
    FunctionReset(ConfigAccess config, int rid, int bridgeRid) {
        this.config = config;
        this.rid = rid;
        this.bridgeRid = bridgeRid;
    }

    private int capability(int id) {
        int at = config.read(rid, ConfigSpace.CAPABILITIES_POINTER, 1) & 0xFC;
        for (int i = 0; at >= 0x40 && i < MAX_CAPABILITIES; i++) {
            int header = config.read(rid, at, 2);
            if ((header & 0xFF) == id) {
                return at;
            }
            at = header >>> 8 & 0xFC;
        }
        return 0;
    }

    /** What {@link #run} will use. */
    Method method() {
        int express = capability(PciExpress.CAPABILITY_ID);
        if (express != 0 && (config.read(rid, express + 4, 4) & FLR_CAPABLE) != 0) {
            return Method.FLR;
        }
        int advanced = capability(AdvancedFeatures.CAPABILITY_ID);
        if (advanced != 0 && (config.read(rid, advanced + 3, 1) & AF_CAPABLE) == AF_CAPABLE) {
            return Method.AF_FLR;
        }
        int power = capability(PowerManagement.CAPABILITY_ID);
        if (power != 0 && (config.read(rid, power + 4, 2) & NO_SOFT_RESET) == 0) {
            return Method.PM;
        }
        return bridgeRid >= 0 && aloneOnBus() ? Method.BUS : Method.NONE;
    }

    private boolean aloneOnBus() {
        int bus = config.read(bridgeRid, SECONDARY_BUS, 1) << 8;
        for (int devfn = 0; devfn < 256; devfn++) {
            if ((bus | devfn) != rid && config.read(bus | devfn, ConfigSpace.VENDOR_ID, 2) != 0xFFFF) {
                return false;
            }
        }
        return true;
    }

    /** Resets the function now; its bus mastering is off before, so that nothing is on its way. */
    Method run() {
        Method method = method();
        SavedFunction saved = new SavedFunction(config, rid, false);
        switch (method) {
            case FLR -> {
                int control = capability(PciExpress.CAPABILITY_ID) + 8;
                config.write(rid, control, 2, config.read(rid, control, 2) | INITIATE_FLR);
            }
            case AF_FLR -> config.write(rid, capability(AdvancedFeatures.CAPABILITY_ID) + 4, 1, 1);
            case PM -> {
                int control = capability(PowerManagement.CAPABILITY_ID) + 4;
                int state = config.read(rid, control, 2) & ~POWER_STATE;
                config.write(rid, control, 2, state | D3HOT);
                config.write(rid, control, 2, state);
            }
            case BUS -> resetBus();
            case NONE -> {
                // Bus mastering is off, which is all that can be done.
            }
        }
        saved.restore();
        return method;
    }

    /** Resets everything on the bus; the functions that were on it are saved and put back by the caller. */
    void resetBus() {
        int control = config.read(bridgeRid, BridgeHeader.BRIDGE_CONTROL, 2);
        config.write(bridgeRid, BridgeHeader.BRIDGE_CONTROL, 2, control | BridgeHeader.SECONDARY_BUS_RESET);
        config.write(bridgeRid, BridgeHeader.BRIDGE_CONTROL, 2, control);
    }
}

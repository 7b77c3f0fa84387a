package io.iolab.vmm.pci;

import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * A port of a PCI Express switch (PCI Express Base section 1.3.3): the upstream port's secondary bus is the switch's own, the downstream
 * ports are the devices on it, and each has one link.
 *
 * <p>Threading: as {@link PciHost}.
 */
public final class SwitchPort extends Bridge {
    private static final int VENDOR = 0x104C;
    private static final int UPSTREAM = 0x8232;
    private static final int DOWNSTREAM = 0x8233;
    private static final int BRIDGE_CLASS = 0x060400;
    private static final int PCIE = 0x40;
    private static final int LINK_CAPABILITIES = PCIE + 0xC;
    private static final int PORT_NUMBER_SHIFT = 24;
    private static final int DEVICES = 32;

    private final PciExpress express;
    private final @Nullable AccessControlServices accessControl;
    private final int portNumber;

    private SwitchPort(int deviceId, PciExpress.Type type, int portNumber, int services) {
        super(new ConfigSpace(VENDOR, deviceId, 2, BRIDGE_CLASS), type);
        this.portNumber = portNumber;
        ConfigSpace config = config();
        express = new PciExpress(config, PCIE, type, null);
        config.field(LINK_CAPABILITIES, 4, config.get(LINK_CAPABILITIES, 4) | portNumber << PORT_NUMBER_SHIFT, 0, 0);
        accessControl = RootPort.accessControl(config, services);
        config.seal();
    }

    static SwitchPort upstream() {
        return new SwitchPort(UPSTREAM, PciExpress.Type.UPSTREAM_PORT, 0, 0);
    }

    /**
     * @param portNumber 1 to 255; the upstream port is 0
     * @param services as for {@link RootPort}
     */
    static SwitchPort downstream(int portNumber, int services) {
        return new SwitchPort(DOWNSTREAM, PciExpress.Type.DOWNSTREAM_PORT, portNumber, services);
    }

    /** On the switch's own bus there are downstream ports only, on a link there is device 0 alone. */
    void attach(int device, int function, PciFunction behind) {
        boolean own = type() == PciExpress.Type.UPSTREAM_PORT;
        boolean fits = own
                ? behind instanceof SwitchPort port
                        && port.type() == PciExpress.Type.DOWNSTREAM_PORT
                        && device < DEVICES
                : device == 0;
        if (!fits || function < 0 || function > 7) {
            throw new IllegalArgumentException(type() + ": no place at device " + device + ", function " + function);
        }
        put(device << 3 | function, behind);
    }

    @Override
    @Nullable
    AccessControlServices accessControl() {
        return accessControl;
    }

    @Override
    int portNumber() {
        return portNumber;
    }

    @Override
    boolean reachesAllDevices() {
        return type() == PciExpress.Type.UPSTREAM_PORT || express.forwardsAri();
    }
}

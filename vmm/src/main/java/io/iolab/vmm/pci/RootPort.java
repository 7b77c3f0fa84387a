package io.iolab.vmm.pci;

import io.iolab.devices.pci.AccessControlServices;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.ExtendedCapability;
import io.iolab.devices.pci.PciExpress;
import io.iolab.devices.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * A PCI Express root port: a bridge from bus 0 to the one device behind it (PCI Express Base section 7.3 and 7.8).
 *
 * <p>It has no hot plug, no interrupts and no error reporting, and asks no time of its own.
 *
 * <p>Threading: as {@link PciHost}.
 */
public final class RootPort extends Bridge {
    private static final int BRIDGE_CLASS = 0x060400;
    private static final int PCIE = 0x54;
    private static final int EGRESS_PORTS = 32;
    /** Version 2, root port, slot implemented. */
    private static final int PCIE_FLAGS = 0x0142;

    private static final int DEVICE_CAPABILITIES_2 = PCIE + 0x24;
    private static final int DEVICE_CONTROL_2 = PCIE + 0x28;
    private static final int ARI_FORWARDING = 1 << 5;

    private final @Nullable AccessControlServices accessControl;

    /** A port without access control services. */
    public RootPort(int vendorId, int deviceId) {
        this(vendorId, deviceId, 0);
    }

    /** @param services bits of {@link AccessControlServices} that the port has; 0 for a port without that capability */
    public RootPort(int vendorId, int deviceId, int services) {
        super(new ConfigSpace(vendorId, deviceId, 0, BRIDGE_CLASS), PciExpress.Type.ROOT_PORT);
        ConfigSpace config = config();
        config.interruptPin(1)
                .capability(PCIE, PciExpress.CAPABILITY_ID)
                .field(PCIE + 2, 2, PCIE_FLAGS, 0, 0)
                .field(PCIE + 4, 4, 0x0000_8000, 0, 0)
                .field(PCIE + 8, 2, 0, 0x00FF, 0)
                .field(PCIE + 10, 2, 0, 0, 0x000F)
                .field(PCIE + 12, 4, 0x0000_0411, 0, 0)
                .field(PCIE + 18, 2, 0x2011, 0, 0)
                .field(DEVICE_CAPABILITIES_2, 4, ARI_FORWARDING, 0, 0)
                .field(DEVICE_CONTROL_2, 2, 0, ARI_FORWARDING, 0);
        accessControl = accessControl(config, services);
        config.seal();
    }

    static @Nullable AccessControlServices accessControl(ConfigSpace config, int services) {
        if (services == 0) {
            return null;
        }
        boolean egress = (services & AccessControlServices.EGRESS_CONTROL) != 0;
        return new AccessControlServices(config, ExtendedCapability.FIRST, services, egress ? EGRESS_PORTS : 0);
    }

    /**
     * Puts a function of device 0 behind the port; to be done before the port is plugged in.
     *
     * @param function 0 to 7
     * @throws IllegalArgumentException if its place is taken
     */
    public RootPort attach(int function, PciFunction behind) {
        if (function < 0 || function > 7) {
            throw new IllegalArgumentException("no free place for function " + function);
        }
        put(function, behind);
        return this;
    }

    @Override
    @Nullable
    AccessControlServices accessControl() {
        return accessControl;
    }

    @Override
    boolean reachesAllDevices() {
        return (config().get(DEVICE_CONTROL_2, 2) & ARI_FORWARDING) != 0;
    }
}

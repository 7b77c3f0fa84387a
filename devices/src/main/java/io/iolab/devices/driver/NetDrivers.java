package io.iolab.devices.driver;

import io.iolab.devices.driver.e1000.E1000Driver;
import io.iolab.devices.driver.e1000.E1000Options;
import io.iolab.devices.driver.igb.IgbDriver;
import io.iolab.devices.driver.igb.IgbOptions;
import io.iolab.devices.driver.igb.IgbVfDriver;
import io.iolab.devices.driver.pci.PciBus;
import io.iolab.devices.driver.pci.PciDevice;
import io.iolab.devices.driver.virtio.VirtioNetDriver;
import io.iolab.devices.driver.virtio.VirtioOptions;
import java.util.List;

/** Which driver a function gets, by vendor and device id. */
public final class NetDrivers {
    private static final int INTEL_82540EM = 0x8086_100E;
    private static final int INTEL_82574L = 0x8086_10D3;
    private static final int INTEL_82576 = 0x8086_10C9;
    private static final int INTEL_82576_VF = 0x8086_10CA;
    private static final int VIRTIO_NET = 0x1AF4_1041;

    private NetDrivers() {}

    /** What the drivers are told; only the one that matches the device is used. */
    public record Options(E1000Options e1000, VirtioOptions virtio, IgbOptions igb, IgbOptions igbvf) {
        /** With igb's and igbvf's defaults. */
        public Options(E1000Options e1000, VirtioOptions virtio) {
            this(e1000, virtio, IgbOptions.physical(), IgbOptions.virtual());
        }

        public static Options defaults() {
            return new Options(E1000Options.defaults(), VirtioOptions.defaults());
        }
    }

    /** Whether {@link #create} knows the function. */
    public static boolean supports(PciDevice device) {
        int id = id(device);
        return switch (id) {
            case INTEL_82540EM, INTEL_82574L, INTEL_82576, INTEL_82576_VF, VIRTIO_NET -> true;
            default -> false;
        };
    }

    /**
     * A driver for this function, not yet open.
     *
     * @throws DriverException if the function is not supported, or is not what its id promises
     */
    public static NetDriver create(DriverPlatform platform, PciDevice device, Options options) {
        return switch (id(device)) {
            case INTEL_82540EM, INTEL_82574L -> new E1000Driver(platform, device, options.e1000());
            case INTEL_82576 -> IgbDriver.create(platform, device, options.igb());
            case INTEL_82576_VF -> IgbVfDriver.create(platform, device, options.igbvf());
            case VIRTIO_NET -> new VirtioNetDriver(platform, device, options.virtio());
            default -> throw new DriverException(device + ": no driver");
        };
    }

    /**
     * Scans the bus and returns a driver, not yet open, for the first function that has one.
     *
     * @throws DriverException if there is none; the message lists what was found
     */
    public static NetDriver probe(DriverPlatform platform, PciBus bus, Options options) {
        List<PciDevice> devices = bus.scan();
        for (PciDevice device : devices) {
            if (supports(device)) {
                return create(platform, device, options);
            }
        }
        throw new DriverException("no supported network function among " + devices);
    }

    private static int id(PciDevice device) {
        return device.vendorId() << 16 | device.deviceId();
    }
}

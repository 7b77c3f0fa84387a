package io.iolab.vmm.assign;

import io.iolab.devices.driver.pci.ConfigAccess;
import io.iolab.devices.pci.PciFunction;

/** Opens functions that stand alone on bus 0. */
final class Devices {
    private Devices() {}

    static VfioDevice open(PciFunction function, HostInterrupts host) {
        return new VfioDevice(
                function, Identity.of(function), 0, host, new FunctionReset(config(function), 0, -1), () -> {});
    }

    /** Configuration accesses to this one function, whatever requester id they name. */
    static ConfigAccess config(PciFunction function) {
        return new ConfigAccess() {
            @Override
            public int read(int rid, int offset, int width) {
                return function.config().read(offset, width);
            }

            @Override
            public void write(int rid, int offset, int width, int value) {
                function.config().write(offset, width, value);
            }
        };
    }
}

package io.iolab.vmm.assign;

import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import io.iolab.devices.pci.SriovFunction;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a function is to its user. A virtual function's header does not tell: its ids read all ones and its BARs 0, and what they stand
 * for is in its physical function (PCI Express SR-IOV 1.1 sections 3.4.1.1 and 3.4.1.11).
 *
 * @param bars those that it has
 */
record Identity(int vendorId, int deviceId, List<Bar> bars) {
    private static final int BARS = 6;
    private static final int VF_DEVICE_ID = 0x1A;

    /** As the function's own header says. */
    static Identity of(PciFunction function) {
        ConfigSpace config = function.config();
        List<Bar> bars = new ArrayList<>();
        for (int i = 0; i < BARS; i++) {
            add(bars, config.bar(i));
        }
        return new Identity(
                config.get(ConfigSpace.VENDOR_ID, 2), config.get(ConfigSpace.DEVICE_ID, 2), List.copyOf(bars));
    }

    /** As a physical function says of its virtual functions. */
    static Identity ofVirtual(SriovFunction physical) {
        ConfigSpace config = physical.config();
        List<Bar> bars = new ArrayList<>();
        for (int i = 0; i < BARS; i++) {
            add(bars, physical.virtualBar(i));
        }
        return new Identity(
                config.get(ConfigSpace.VENDOR_ID, 2),
                config.get(physical.sriovCapability() + VF_DEVICE_ID, 2),
                List.copyOf(bars));
    }

    private static void add(List<Bar> bars, @Nullable Bar bar) {
        if (bar != null) {
            bars.add(bar);
        }
    }

    /** The BAR with this number, or null. */
    @Nullable
    Bar bar(int index) {
        for (int i = 0; i < bars.size(); i++) {
            if (bars.get(i).index() == index) {
                return bars.get(i);
            }
        }
        return null;
    }
}

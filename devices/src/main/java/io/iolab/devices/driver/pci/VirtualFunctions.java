package io.iolab.devices.driver.pci;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;
import java.util.ArrayList;
import java.util.List;

/**
 * Virtual functions as an operating system brings them up (PCI Express SR-IOV 1.1 section 3.3), in Linux's order: NumVFs, offset and
 * stride, VF Enable together with memory space, 100 ms, then the functions. They need ECAM: the capability lies beyond 256 bytes.
 */
public final class VirtualFunctions {
    private static final int CAPABILITY = 0x0010;
    private static final int CONTROL = 0x08;
    private static final int CONTROL_ENABLE = 1;
    private static final int CONTROL_MEMORY = 1 << 3;
    private static final int CONTROL_ARI = 1 << 4;
    private static final int TOTAL = 0x0E;
    private static final int NUMBER = 0x10;
    private static final int FIRST_OFFSET = 0x14;
    private static final int STRIDE = 0x16;
    private static final int DEVICE_ID = 0x1A;
    private static final int BARS = 0x24;
    private static final int BAR_COUNT = 6;
    private static final int BAR_64 = 4;
    private static final long SETTLE_NANOS = 100_000_000;

    private VirtualFunctions() {}

    /**
     * Places the windows of virtual functions that firmware left at 0, and enables the functions.
     *
     * @param count 1 to what the function offers
     * @param ari whether the ports above route by function number alone, so that virtual functions may share the bus
     * @return them in order, as vendor and device that the physical function names; their own ids read FFFFh
     * @throws DriverException if the function has no such capability or fewer functions
     */
    public static List<PciDevice> enable(
            DriverPlatform platform, PciBus bus, PciDevice physical, int count, boolean ari) {
        int capability = require(physical);
        int total = physical.read(capability + TOTAL, 2);
        if (count < 1 || count > total) {
            throw new DriverException(physical + ": " + count + " virtual functions of " + total);
        }
        List<PciBar> windows = place(bus, physical, capability, total);
        physical.write(capability + NUMBER, 2, count);
        int control = ari ? CONTROL_ARI : 0;
        physical.write(capability + CONTROL, 2, control);
        int first = physical.read(capability + FIRST_OFFSET, 2);
        int stride = physical.read(capability + STRIDE, 2);
        physical.write(capability + CONTROL, 2, control | CONTROL_ENABLE | CONTROL_MEMORY);
        platform.delayNanos(SETTLE_NANOS);
        int id = physical.read(capability + DEVICE_ID, 2) << 16 | physical.vendorId();
        List<PciDevice> devices = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<PciBar> bars = new ArrayList<>();
            for (PciBar window : windows) {
                bars.add(new PciBar(
                        window.index(),
                        window.kind(),
                        window.address() + window.size() * i,
                        window.size(),
                        window.prefetchable()));
            }
            devices.add(bus.function(physical.rid() + first + stride * i, id, bars));
        }
        return devices;
    }

    /** Takes all virtual functions away. */
    public static void disable(PciDevice physical) {
        int capability = require(physical);
        physical.write(capability + CONTROL, 2, 0);
    }

    private static int require(PciDevice physical) {
        int capability = physical.findExtendedCapability(CAPABILITY);
        if (capability == 0) {
            throw new DriverException(physical + ": no SR-IOV capability");
        }
        return capability;
    }

    /** Each window is {@code total} times as large as one function's share. */
    private static List<PciBar> place(PciBus bus, PciDevice physical, int capability, int total) {
        List<PciBar> windows = new ArrayList<>();
        int index = 0;
        while (index < BAR_COUNT) {
            int offset = capability + BARS + 4 * index;
            int low = physical.read(offset, 4);
            boolean wide = (low & BAR_64) != 0;
            physical.write(offset, 4, -1);
            long mask = physical.read(offset, 4) & ~0xF;
            physical.write(offset, 4, low);
            if (mask != 0) {
                long size = -mask;
                long address = low & 0xFFFF_FFF0L;
                if (wide) {
                    address |= (long) physical.read(offset + 4, 4) << 32;
                }
                if (address == 0) {
                    address = bus.allocateMemory(size * Integer.highestOneBit(2 * total - 1));
                    physical.write(offset, 4, (int) address);
                    if (wide) {
                        physical.write(offset + 4, 4, (int) (address >>> 32));
                    }
                }
                PciBar.Kind kind = wide ? PciBar.Kind.MEMORY64 : PciBar.Kind.MEMORY32;
                windows.add(new PciBar(index, kind, address, size, (low & 8) != 0));
            }
            index += wide ? 2 : 1;
        }
        return windows;
    }
}

package io.iolab.vmm.pci;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.pci.Bar;
import io.iolab.devices.pci.ConfigSpace;
import io.iolab.devices.pci.PciFunction;
import java.util.Map;
import java.util.TreeMap;

/**
 * A PCI Express root port: a bridge from bus 0 to the one device behind it (PCI Express Base section 7.3 and 7.8; PCI-to-PCI Bridge 1.2
 * section 3.2). It forwards configuration accesses to its secondary bus, and memory and I/O accesses that fall into its windows while its
 * command register lets them pass.
 *
 * <p>It has no hot plug, no interrupts and no error reporting, and asks no time of its own.
 *
 * <p>Threading: as {@link PciHost}.
 */
public final class RootPort extends BridgeFunction {
    /** Primary, secondary and subordinate bus number. */
    static final int BUS_NUMBERS = 0x18;

    /** From the bus numbers to the upper halves of the I/O window. */
    static final int FORWARDING_BYTES = 0x34 - BUS_NUMBERS;

    private static final int IO_WINDOW = 0x1C;
    private static final int MEMORY_WINDOW = 0x20;
    private static final int PREFETCHABLE_WINDOW = 0x24;
    private static final int PREFETCHABLE_UPPER = 0x28;
    private static final int IO_UPPER = 0x30;
    private static final int BRIDGE_CONTROL = 0x3E;

    private static final int BRIDGE_CLASS = 0x060400;
    private static final int TYPE_1 = 1;
    private static final int PCIE = 0x54;
    /** Version 2, root port, slot implemented. */
    private static final int PCIE_FLAGS = 0x0142;

    private final Map<Integer, PciFunction> functions = new TreeMap<>();

    public RootPort(int vendorId, int deviceId) {
        super(new ConfigSpace(vendorId, deviceId, 0, BRIDGE_CLASS));
        ConfigSpace config = config();
        config.put(ConfigSpace.HEADER_TYPE, 1, TYPE_1);
        config.field(BUS_NUMBERS, 4, 0, 0x00FF_FFFF, 0)
                .field(IO_WINDOW, 2, 0x0101, 0xF0F0, 0)
                .field(IO_WINDOW + 2, 2, 0, 0, 0xF900)
                .field(MEMORY_WINDOW, 4, 0, 0xFFF0_FFF0, 0)
                .field(PREFETCHABLE_WINDOW, 4, 0x0001_0001, 0xFFF0_FFF0, 0)
                .field(PREFETCHABLE_UPPER, 4, 0, -1, 0)
                .field(PREFETCHABLE_UPPER + 4, 4, 0, -1, 0)
                .field(IO_UPPER, 4, 0, -1, 0)
                .field(BRIDGE_CONTROL, 2, 0, 0x0003, 0)
                .interruptPin(1)
                .capability(PCIE, 0x10)
                .field(PCIE + 2, 2, PCIE_FLAGS, 0, 0)
                .field(PCIE + 4, 4, 0x0000_8000, 0, 0)
                .field(PCIE + 8, 2, 0, 0x00FF, 0)
                .field(PCIE + 10, 2, 0, 0, 0x000F)
                .field(PCIE + 12, 4, 0x0000_0411, 0, 0)
                .field(PCIE + 18, 2, 0x2011, 0, 0)
                .seal();
    }

    /**
     * Puts a function of device 0 behind the port; to be done before the port is plugged in.
     *
     * @param function 0 to 7
     * @throws IllegalArgumentException if its place is taken
     */
    public RootPort attach(int function, PciFunction behind) {
        if (function < 0 || function > 7 || functions.putIfAbsent(function, behind) != null) {
            throw new IllegalArgumentException("no free place for function " + function);
        }
        return this;
    }

    /** By device and function; device is 0. */
    Map<Integer, PciFunction> functions() {
        return functions;
    }

    /** As programmed; 0 before that. */
    public int secondaryBus() {
        return config().get(BUS_NUMBERS + 1, 1);
    }

    /** Whether an access to this BAR of a function behind the port gets there. */
    boolean forwards(BarTarget target) {
        if (secondaryBus() == 0) {
            return false;
        }
        Bar shape = target.function().config().bar(target.bar());
        if (shape == null || !shape.isMemory()) {
            return config().ioEnabled() && insideIo(target.base(), target.size());
        }
        return config().memoryEnabled()
                && (inside(MEMORY_WINDOW, 0, 0, target)
                        || inside(
                                PREFETCHABLE_WINDOW,
                                config().get(PREFETCHABLE_UPPER, 4),
                                config().get(PREFETCHABLE_UPPER + 4, 4),
                                target));
    }

    private boolean inside(int window, int upperBase, int upperLimit, BarTarget target) {
        long base = (long) upperBase << 32 | (config().get(window, 2) & 0xFFF0L) << 16;
        long limit = (long) upperLimit << 32 | (config().get(window + 2, 2) & 0xFFF0L) << 16 | 0xF_FFFF;
        return Long.compareUnsigned(base, limit) < 0
                && AddressRange.contains(base, limit - base + 1, target.base(), target.size());
    }

    private boolean insideIo(long port, long size) {
        long base = (config().get(IO_WINDOW, 1) & 0xF0L) << 8 | (long) config().get(IO_UPPER, 2) << 16;
        long limit = (config().get(IO_WINDOW + 1, 1) & 0xF0L) << 8 | (long) config().get(IO_UPPER + 2, 2) << 16 | 0xFFF;
        return base < limit && AddressRange.contains(base, limit - base + 1, port, size);
    }
}

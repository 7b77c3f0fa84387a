package io.iolab.devices.driver.pci;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform.MessageTarget;

/**
 * A function's MSI-X table, programmed in Linux's order (PCI Local Bus 3.0 section 6.8.2): enable together with the function
 * mask, mask every entry, forbid INTx, lift the function mask; later an address and data pair goes into a masked entry and
 * the entry is unmasked. Function mask first: an entry that firmware left unmasked must not fire half-programmed.
 */
public final class MsixVectors {
    private static final int CONTROL = 2;
    private static final int CONTROL_SIZE = 0x7FF;
    private static final int CONTROL_FUNCTION_MASK = 1 << 14;
    private static final int CONTROL_ENABLE = 1 << 15;
    private static final int TABLE = 4;

    private static final int ENTRY_SIZE = 16;
    private static final int ENTRY_ADDRESS_HIGH = 4;
    private static final int ENTRY_DATA = 8;
    private static final int ENTRY_CONTROL = 12;
    private static final int ENTRY_MASKED = 1;

    private final CpuPort cpu;
    private final long tablePa;
    private final int size;

    MsixVectors(CpuPort cpu, PciDevice device, int wanted) {
        int capability = device.findCapability(PciDevice.CAPABILITY_MSIX);
        if (capability == 0) {
            throw new DriverException(device + ": no MSI-X capability");
        }
        this.cpu = cpu;
        int control = device.read(capability + CONTROL, 2);
        size = (control & CONTROL_SIZE) + 1;
        if (size < wanted) {
            throw new DriverException(device + ": MSI-X message control is 0x" + Integer.toHexString(control)
                    + ", that is " + size + " vectors, expected at least " + wanted);
        }
        int table = device.read(capability + TABLE, 4);
        PciBar bar = device.memoryBar(table & 7);
        long offset = table & 0xFFFF_FFF8L;
        if (offset + (long) size * ENTRY_SIZE > bar.size()) {
            throw DriverException.register("MSI-X table offset", offset, "a table inside of " + bar);
        }
        tablePa = bar.address() + offset;
        device.enable(PciDevice.COMMAND_MEMORY);
        device.write(capability + CONTROL, 2, control | CONTROL_ENABLE | CONTROL_FUNCTION_MASK);
        for (int vector = 0; vector < size; vector++) {
            cpu.store32(entry(vector) + ENTRY_CONTROL, ENTRY_MASKED);
        }
        device.enable(PciDevice.COMMAND_INTX_DISABLE);
        device.write(capability + CONTROL, 2, control & ~CONTROL_FUNCTION_MASK | CONTROL_ENABLE);
    }

    /** Entries in the table. */
    public int size() {
        return size;
    }

    /** Points a vector at a message and unmasks it; the read-back flushes the posted writes. */
    public void route(int vector, MessageTarget target) {
        long entry = entry(vector);
        mask(vector);
        cpu.store32(entry, (int) target.address());
        cpu.store32(entry + ENTRY_ADDRESS_HIGH, (int) (target.address() >>> 32));
        cpu.store32(entry + ENTRY_DATA, target.data());
        cpu.store32(entry + ENTRY_CONTROL, 0);
        cpu.load32(entry + ENTRY_CONTROL);
    }

    /** Holds a vector's messages back; the read-back makes sure that none is under way. */
    public void mask(int vector) {
        cpu.store32(entry(vector) + ENTRY_CONTROL, ENTRY_MASKED);
        cpu.load32(entry(vector) + ENTRY_CONTROL);
    }

    private long entry(int vector) {
        if (vector < 0 || vector >= size) {
            throw new IllegalArgumentException("vector " + vector + " of " + size);
        }
        return tablePa + (long) vector * ENTRY_SIZE;
    }
}

package io.iolab.devices.driver.pci;

/**
 * A base address register after sizing and placement.
 *
 * @param index 0 to 5; the lower one of a 64-bit pair
 * @param address physical, or an I/O port
 * @param size in bytes, a power of two
 */
public record PciBar(int index, Kind kind, long address, long size, boolean prefetchable) {

    /** The BAR's address space and width (PCI Local Bus 3.0 section 6.2.5.1). */
    public enum Kind {
        MEMORY32,
        MEMORY64,
        IO
    }

    public boolean isMemory() {
        return kind != Kind.IO;
    }
}

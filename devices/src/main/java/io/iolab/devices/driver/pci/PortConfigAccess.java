package io.iolab.devices.driver.pci;

import io.iolab.devices.bus.CpuPort;

/**
 * Configuration mechanism #1: the address goes to port CF8, the data through CFC to CFF (PCI Local Bus 3.0 section
 * 3.2.2.3.2). It reaches the first 256 bytes. Linux prefers it for those in PCI domain 0 even where ECAM exists, so each
 * access costs a virtual machine two I/O exits.
 */
public final class PortConfigAccess implements ConfigAccess {
    private static final int CONFIG_ADDRESS = 0xCF8;
    private static final int CONFIG_DATA = 0xCFC;
    private static final int ENABLE = 1 << 31;
    private static final int REACH = 256;

    private final CpuPort cpu;

    public PortConfigAccess(CpuPort cpu) {
        this.cpu = cpu;
    }

    @Override
    public int read(int rid, int offset, int width) {
        select(rid, offset);
        int value = cpu.in(CONFIG_DATA + (offset & 3), width);
        return width == 4 ? value : value & (1 << 8 * width) - 1;
    }

    @Override
    public void write(int rid, int offset, int width, int value) {
        select(rid, offset);
        cpu.out(CONFIG_DATA + (offset & 3), width, value);
    }

    private void select(int rid, int offset) {
        if (offset < 0 || offset >= REACH) {
            throw new IllegalArgumentException("configuration offset " + offset + " is out of reach of port CF8");
        }
        cpu.out(CONFIG_ADDRESS, 4, ENABLE | rid << 8 | offset & 0xFC);
    }
}

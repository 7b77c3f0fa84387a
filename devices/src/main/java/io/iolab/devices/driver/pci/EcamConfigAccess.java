package io.iolab.devices.driver.pci;

import io.iolab.devices.bus.CpuPort;

/** Memory-mapped configuration space, 4 KiB a function (PCI Express Base section 7.2.2). */
public final class EcamConfigAccess implements ConfigAccess {
    private final CpuPort cpu;
    private final long basePa;

    /** @param basePa where bus 0 starts, from the platform's MCFG table */
    public EcamConfigAccess(CpuPort cpu, long basePa) {
        this.cpu = cpu;
        this.basePa = basePa;
    }

    @Override
    public int read(int rid, int offset, int width) {
        return (int) cpu.load(pa(rid, offset), width);
    }

    @Override
    public void write(int rid, int offset, int width, int value) {
        cpu.store(pa(rid, offset), width, width == 4 ? value & 0xFFFF_FFFFL : value & (1 << 8 * width) - 1);
    }

    private long pa(int rid, int offset) {
        if (offset < 0 || offset >= 4096) {
            throw new IllegalArgumentException("configuration offset " + offset);
        }
        return basePa + ((long) (rid & 0xFFFF) << 12) + offset;
    }
}

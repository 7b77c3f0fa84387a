package io.iolab.vmm.pci;

import io.iolab.devices.bus.CpuPort;

/** A processor whose configuration accesses reach the host bridge, counted. */
final class CountingCpu implements CpuPort {
    static final int CONFIG_ADDRESS = 0xCF8;
    private static final long ECAM = 0xB000_0000L;

    private final PciHost host;
    int portAccesses;
    int memoryAccesses;

    CountingCpu(PciHost host) {
        this.host = host;
    }

    @Override
    public long load(long pa, int width) {
        memoryAccesses++;
        return host.ecam().read(pa - ECAM, width);
    }

    @Override
    public void store(long pa, int width, long value) {
        memoryAccesses++;
        host.ecam().write(pa - ECAM, width, value);
    }

    @Override
    public int in(int port, int width) {
        portAccesses++;
        return (int) host.configPorts().read(port - CONFIG_ADDRESS, width);
    }

    @Override
    public void out(int port, int width, int value) {
        portAccesses++;
        host.configPorts().write(port - CONFIG_ADDRESS, width, value);
    }
}

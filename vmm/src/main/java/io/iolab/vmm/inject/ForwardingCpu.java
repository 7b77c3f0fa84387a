package io.iolab.vmm.inject;

import io.iolab.devices.bus.CpuPort;

/** A processor's port that passes everything on; a defect changes one method. */
class ForwardingCpu implements CpuPort {
    private final CpuPort port;

    ForwardingCpu(CpuPort port) {
        this.port = port;
    }

    @Override
    public long load(long pa, int width) {
        return port.load(pa, width);
    }

    @Override
    public void store(long pa, int width, long value) {
        port.store(pa, width, value);
    }

    @Override
    public int in(int port16, int width) {
        return port.in(port16, width);
    }

    @Override
    public void out(int port16, int width, int value) {
        port.out(port16, width, value);
    }
}

package io.iolab.devices.driver.e1000;

import io.iolab.devices.bus.CpuPort;

/** BAR0: 32-bit registers, dword aligned. */
final class RegisterWindow {
    private final CpuPort cpu;
    private final long basePa;

    RegisterWindow(CpuPort cpu, long basePa) {
        this.cpu = cpu;
        this.basePa = basePa;
    }

    int read(int offset) {
        return cpu.load32(basePa + offset);
    }

    void write(int offset, int value) {
        cpu.store32(basePa + offset, value);
    }

    void setBits(int offset, int bits) {
        write(offset, read(offset) | bits);
    }

    void clearBits(int offset, int bits) {
        write(offset, read(offset) & ~bits);
    }

    /** Pushes posted writes to the device: a read that it must answer. */
    void flush() {
        read(Reg.STATUS);
    }
}

package io.iolab.devices.driver.igb;

import io.iolab.devices.bus.CpuPort;

/** BAR0 of either kind of function: 32-bit registers. */
final class RegisterWindow {
    private static final int STATUS = 0x0008;

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

    /** Pushes posted writes to the device. STATUS has the same offset in both windows. */
    void flush() {
        read(STATUS);
    }
}

package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;

/** The 82574L's NVM, read a word at a time through EERD, which on this part has its own layout (82574 datasheet 10.2.2.4). */
final class EerdNvm extends Nvm {
    private static final int START = 1;
    private static final int DONE = 1 << 1;
    private static final int ADDRESS_SHIFT = 2;
    private static final int DATA_SHIFT = 16;
    private static final int ATTEMPTS = 100_000;
    private static final long WAIT_NANOS = 5_000;

    private final RegisterWindow registers;
    private final DriverPlatform platform;
    private final SoftwareOwnership ownership;

    EerdNvm(RegisterWindow registers, DriverPlatform platform, SoftwareOwnership ownership) {
        this.registers = registers;
        this.platform = platform;
        this.ownership = ownership;
    }

    @Override
    int word(int index) {
        ownership.acquire();
        registers.write(Reg.EERD, index << ADDRESS_SHIFT | START);
        int eerd = registers.read(Reg.EERD);
        for (int attempt = 0; (eerd & DONE) == 0; attempt++) {
            if (attempt == ATTEMPTS) {
                throw DriverException.register("EERD", eerd & 0xFFFF_FFFFL, "DONE (bit 1) for word " + index);
            }
            platform.delayNanos(WAIT_NANOS);
            eerd = registers.read(Reg.EERD);
        }
        ownership.release();
        return eerd >>> DATA_SHIFT;
    }
}

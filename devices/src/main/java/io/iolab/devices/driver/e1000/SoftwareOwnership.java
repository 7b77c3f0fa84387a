package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;

/**
 * EXTCNF_CTRL bit 5: the 82574L's firmware and the driver share MDIO and NVM, and whoever reads its own 1 back has them
 * (82574 datasheet 10.2.2.14). The other parts need none of it.
 */
class SoftwareOwnership {
    /** For parts where nobody else uses MDIO and NVM. */
    static final SoftwareOwnership ALWAYS = new SoftwareOwnership();

    private SoftwareOwnership() {}

    void acquire() {}

    void release() {}

    static SoftwareOwnership of(RegisterWindow registers, DriverPlatform platform) {
        return new Shared(registers, platform);
    }

    private static final class Shared extends SoftwareOwnership {
        private static final int MDIO_SW_OWNERSHIP = 1 << 5;
        private static final int ATTEMPTS = 10;
        private static final long WAIT_NANOS = 2_000_000;

        private final RegisterWindow registers;
        private final DriverPlatform platform;

        Shared(RegisterWindow registers, DriverPlatform platform) {
            this.registers = registers;
            this.platform = platform;
        }

        @Override
        void acquire() {
            int value = registers.read(Reg.EXTCNF_CTRL);
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                registers.write(Reg.EXTCNF_CTRL, value | MDIO_SW_OWNERSHIP);
                value = registers.read(Reg.EXTCNF_CTRL);
                if ((value & MDIO_SW_OWNERSHIP) != 0) {
                    return;
                }
                platform.delayNanos(WAIT_NANOS);
            }
            throw DriverException.register("EXTCNF_CTRL", value & 0xFFFF_FFFFL, "MDIO_SW_OWNERSHIP (bit 5) to stick");
        }

        @Override
        void release() {
            registers.clearBits(Reg.EXTCNF_CTRL, MDIO_SW_OWNERSHIP);
        }
    }
}

package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;

/** The transceiver behind MDIC, at PHY address 1 (8254x SDM 13.4.8; IEEE 802.3 clause 22 for registers 0 to 10). */
final class Phy {
    static final int BMCR = 0;
    static final int BMCR_RESTART = 1 << 9;
    static final int BMCR_POWER_DOWN = 1 << 11;
    static final int BMCR_AUTONEGOTIATE = 1 << 12;
    static final int BMCR_RESET = 1 << 15;
    static final int BMSR = 1;
    static final int ID1 = 2;
    static final int ID2 = 3;
    static final int ADVERTISE = 4;
    /** 10 and 100 Mbit/s, half and full duplex; symmetric and asymmetric pause. */
    static final int ADVERTISE_ALL = 0x0DE0;

    static final int CONTROL_1000 = 9;
    static final int CONTROL_1000_FULL = 1 << 9;
    /** Marvell: PHY specific control. */
    static final int SPECIFIC_CONTROL = 16;
    /** Marvell: extended PHY specific control. */
    static final int EXTENDED_CONTROL = 20;

    private static final int MDIC_REGISTER_SHIFT = 16;
    private static final int MDIC_PHY_1 = 1 << 21;
    private static final int MDIC_WRITE = 1 << 26;
    private static final int MDIC_READ = 1 << 27;
    private static final int MDIC_READY = 1 << 28;
    private static final int MDIC_ERROR = 1 << 30;
    private static final int ATTEMPTS = 192;
    private static final long WAIT_NANOS = 50_000;

    private final RegisterWindow registers;
    private final DriverPlatform platform;
    private final SoftwareOwnership ownership;

    Phy(RegisterWindow registers, DriverPlatform platform, SoftwareOwnership ownership) {
        this.registers = registers;
        this.platform = platform;
        this.ownership = ownership;
    }

    int read(int register) {
        return cycle(MDIC_READ, register, 0) & 0xFFFF;
    }

    void write(int register, int value) {
        cycle(MDIC_WRITE, register, value & 0xFFFF);
    }

    void setBits(int register, int bits) {
        write(register, read(register) | bits);
    }

    /** Registers 2 and 3 as one number. */
    int id() {
        return read(ID1) << 16 | read(ID2);
    }

    /** Offers everything and starts negotiating; the link comes up on its own time. */
    void autonegotiate() {
        setBits(ADVERTISE, ADVERTISE_ALL);
        setBits(CONTROL_1000, CONTROL_1000_FULL);
        setBits(BMCR, BMCR_AUTONEGOTIATE | BMCR_RESTART);
    }

    private int cycle(int operation, int register, int value) {
        ownership.acquire();
        registers.write(Reg.MDIC, operation | MDIC_PHY_1 | register << MDIC_REGISTER_SHIFT | value);
        int mdic = registers.read(Reg.MDIC);
        for (int attempt = 0; (mdic & MDIC_READY) == 0 && attempt < ATTEMPTS; attempt++) {
            platform.delayNanos(WAIT_NANOS);
            mdic = registers.read(Reg.MDIC);
        }
        ownership.release();
        boolean echoed = (mdic >>> MDIC_REGISTER_SHIFT & 0x1F) == register;
        if ((mdic & (MDIC_READY | MDIC_ERROR)) != MDIC_READY || !echoed) {
            throw DriverException.register(
                    "MDIC", mdic & 0xFFFF_FFFFL, "READY (bit 28) without ERROR (bit 30) for PHY register " + register);
        }
        return mdic;
    }
}

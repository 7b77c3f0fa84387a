package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.net.MacAddress;
import io.iolab.devices.register.RegisterFile;

/**
 * CTRL, CTRL_EXT and STATUS, the PHY behind MDIC, and the words behind EERD (82576 datasheet 8.2 and 8.4). Auto-negotiation takes no
 * time.
 */
final class LinkUnit {
    private static final int MDIC_REGISTER_SHIFT = 16;
    private static final int MDIC_WRITE = 1 << 26;
    private static final int MDIC_READ = 1 << 27;
    private static final int MDIC_READY = 1 << 28;
    private static final int MDIC_ERROR = 1 << 30;
    private static final int MDIC_ECHO = 0x03FF_FFFF;

    private static final int EERD_START = 1;
    private static final int EERD_DONE = 1 << 1;
    private static final int EERD_ADDRESS = 0xFFFC;

    private static final int BMCR = 0;
    private static final int BMCR_RESET = 1 << 15;
    private static final int BMCR_POWER_DOWN = 1 << 11;
    private static final int BMCR_RESTART = 1 << 9;
    private static final int BMCR_DEFAULT = 0x1140;
    private static final int BMSR = 1;
    private static final int BMSR_UP = 1 << 5 | 1 << 2;
    private static final int PARTNER = 5;
    private static final int GIGABIT_STATUS = 10;
    /** By register number; what is 0 here and written reads back, which is all that a driver asks of the rest. */
    private static final int[] PHY_DEFAULTS = {
        BMCR_DEFAULT, 0x7949, 0x02A8, 0x0391, 0x0DE1, 0x45E1, 0, 0x2001, 0, 0x0E00
    };

    private static final int NVM_WORDS = 64;
    private static final int NVM_CHECKSUM = 0xBABA;

    private final RegisterFile registers;
    private final InterruptUnit interrupts;
    private final Runnable controllerReset;
    private final Runnable softwareReady;
    private final int[] nvm = new int[NVM_WORDS];
    private final int[] phy = new int[32];
    private final long mac;
    private boolean cable = true;
    private boolean linkUp;
    private boolean phyWasReset;
    private int numVfs;
    private boolean iov;

    /**
     * @param controllerReset does what CTRL.RST asks for
     * @param softwareReady runs when CTRL_EXT.PFRSTD is set
     */
    LinkUnit(
            RegisterFile registers,
            InterruptUnit interrupts,
            long mac,
            Runnable controllerReset,
            Runnable softwareReady) {
        this.registers = registers;
        this.interrupts = interrupts;
        this.controllerReset = controllerReset;
        this.softwareReady = softwareReady;
        this.mac = mac;
        fillNvm();
        registers.onWrite(CTRL, (written, previous) -> controlWritten(written));
        registers.onWrite(CTRL_EXT, (written, previous) -> extendedControlWritten(written));
        registers.onRead(STATUS, this::status);
        registers.onWrite(STATUS, (written, previous) -> phyWasReset &= (written & STATUS_PHYRA) != 0);
        registers.onWrite(MDIC, (written, previous) -> mdic(written));
        registers.onWrite(EERD, (written, previous) -> eerd(written));
        registers.onRead(SWSM, () -> {
            int value = registers.get(SWSM);
            registers.set(SWSM, value | 1);
            return value;
        });
    }

    /** Words 0 to 2 the address, 3Fh such that all add up (82576 datasheet 6.2). */
    private void fillNvm() {
        byte[] bytes = new MacAddress(mac).toBytes();
        for (int i = 0; i < 3; i++) {
            nvm[i] = bytes[2 * i] & 0xFF | (bytes[2 * i + 1] & 0xFF) << 8;
        }
        nvm[0x0D] = Igb82576.DEVICE_ID;
        nvm[0x0E] = 0x8086;
        nvm[0x12] = 0x5000;
        int sum = 0;
        for (int word : nvm) {
            sum += word;
        }
        nvm[NVM_WORDS - 1] = NVM_CHECKSUM - sum & 0xFFFF;
    }

    boolean linkUp() {
        return linkUp;
    }

    boolean masterEnabled() {
        return (registers.get(CTRL) & CTRL_GIO_MASTER_DISABLE) == 0;
    }

    /** What STATUS says about virtual functions. */
    void virtualFunctions(boolean enabled, int count) {
        iov = enabled;
        numVfs = count;
    }

    void plug(boolean connected) {
        cable = connected;
        evaluate(true);
    }

    /** After the registers were reset: the station address, and the link without an event. */
    void load(boolean powerOn) {
        if (powerOn) {
            resetPhy();
            phyWasReset = false;
        }
        registers.set(RAL, Integer.reverseBytes((int) (mac >>> 16)));
        registers.set(RAL + 4, Short.reverseBytes((short) mac) & 0xFFFF | RAH_AV | 1 << RAH_POOL_SHIFT);
        evaluate(false);
    }

    private void resetPhy() {
        java.util.Arrays.fill(phy, 0);
        System.arraycopy(PHY_DEFAULTS, 0, phy, 0, PHY_DEFAULTS.length);
    }

    private boolean phyUp() {
        return cable && (phy[BMCR] & BMCR_POWER_DOWN) == 0 && (registers.get(CTRL) & CTRL_PHY_RST) == 0;
    }

    private void evaluate(boolean report) {
        boolean up = phyUp() && (registers.get(CTRL) & CTRL_SLU) != 0;
        boolean changed = up != linkUp;
        linkUp = up;
        if (changed && report) {
            interrupts.raise(ICR_LSC);
        }
    }

    private void controlWritten(int written) {
        if ((written & CTRL_RST) != 0) {
            controllerReset.run();
            return;
        }
        if ((written & CTRL_PHY_RST) != 0) {
            phyWasReset = true;
            resetPhy();
        }
        evaluate(true);
    }

    private void extendedControlWritten(int written) {
        if ((written & CTRL_EXT_PFRSTD) != 0) {
            softwareReady.run();
        }
    }

    private int status() {
        int value = STATUS_FD | STATUS_SPEED_1000 | STATUS_INITIALISED;
        value |= linkUp ? STATUS_LU : 0;
        value |= phyWasReset ? STATUS_PHYRA : 0;
        value |= masterEnabled() ? STATUS_GIO_MASTER_ENABLE : 0;
        value |= iov ? STATUS_IOV | numVfs << STATUS_NUM_VFS_SHIFT : 0;
        return value;
    }

    private void mdic(int written) {
        int number = written >>> MDIC_REGISTER_SHIFT & 0x1F;
        int result = written & MDIC_ECHO | MDIC_READY;
        if ((written & MDIC_READ) != 0) {
            result = result & ~0xFFFF | phyRead(number);
        } else if ((written & MDIC_WRITE) != 0) {
            phyWrite(number, written & 0xFFFF);
        } else {
            result |= MDIC_ERROR;
        }
        registers.set(MDIC, result);
    }

    private int phyRead(int number) {
        boolean up = phyUp();
        return switch (number) {
            case BMSR -> phy[BMSR] | (up ? BMSR_UP : 0);
            case PARTNER -> up ? phy[PARTNER] : 0;
            case GIGABIT_STATUS -> up ? 0x3C00 : 0;
            default -> phy[number];
        };
    }

    private void phyWrite(int number, int value) {
        if (number == BMCR) {
            if ((value & BMCR_RESET) != 0) {
                resetPhy();
            } else {
                phy[BMCR] = value & ~BMCR_RESTART;
            }
            evaluate(true);
        } else if (number > PARTNER || number == PARTNER - 1) {
            phy[number] = value;
        }
    }

    private void eerd(int written) {
        int word = (written & EERD_ADDRESS) >>> 2;
        boolean answers = (written & EERD_START) != 0 && word < NVM_WORDS;
        registers.set(EERD, written & EERD_ADDRESS | (answers ? EERD_DONE | nvm[word] << 16 : 0));
    }
}

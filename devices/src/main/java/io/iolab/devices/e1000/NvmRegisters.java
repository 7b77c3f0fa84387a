package io.iolab.devices.e1000;

import io.iolab.devices.register.RegisterFile;

/**
 * Software's ways to EEPROM and PHY: EECD, EERD, EEWR and MDIC (82540 SDM 13.4 and chapter 5; 82574 datasheet 10.2). Every
 * cycle completes at once, so DONE and READY are set when the write returns.
 */
final class NvmRegisters {
    private static final int EECD_SK = 1;
    private static final int EECD_CS = 1 << 1;
    private static final int EECD_DI = 1 << 2;
    private static final int EECD_DO = 1 << 3;
    private static final int EECD_REQ = 1 << 6;
    private static final int EECD_GNT = 1 << 7;
    private static final int EECD_PRES = 1 << 8;
    /** On the 82574: the automatic read after a reset is over. */
    private static final int EECD_AUTO_RD = 1 << 9;

    private static final int START = 1;
    private static final int DATA_SHIFT = 16;

    private static final int MDIC_DATA = 0xFFFF;
    private static final int MDIC_WRITE = 1 << 26;
    private static final int MDIC_READ = 1 << 27;
    private static final int MDIC_READY = 1 << 28;
    private static final int MDIC_INTERRUPT = 1 << 29;
    private static final int MDIC_ERROR = 1 << 30;

    private final E1000Model model;
    private final RegisterFile registers;
    private final Eeprom eeprom;
    private final Phy phy;
    private final InterruptUnit interrupts;
    private final Microwire microwire;

    NvmRegisters(Core core, Eeprom eeprom, Phy phy, InterruptUnit interrupts) {
        this.model = core.model();
        this.registers = core.registers();
        this.eeprom = eeprom;
        this.phy = phy;
        this.interrupts = interrupts;
        this.microwire = new Microwire(eeprom);
    }

    void attach() {
        registers.onRead(E1000Registers.EECD, this::eecd);
        registers.onWrite(E1000Registers.EECD, (written, previous) -> eecdWritten(written));
        registers.onWrite(E1000Registers.EERD, (written, previous) -> read(written));
        registers.onWrite(E1000Registers.MDIC, (written, previous) -> mdic(written));
        if (model == E1000Model.I82574L) {
            registers.onWrite(E1000Registers.EEWR, (written, previous) -> write(written));
        }
    }

    /** Access is granted whenever it is asked for: no firmware competes. */
    private int eecd() {
        int value = registers.get(E1000Registers.EECD) | EECD_PRES;
        if ((value & EECD_REQ) != 0) {
            value |= EECD_GNT;
        }
        // The 82574 has an SPI part behind these pins, which is not modelled: its drivers use EERD.
        if (model == E1000Model.I82574L) {
            return value | EECD_AUTO_RD;
        }
        // The pin is ours to read only while access is granted.
        return (value & EECD_GNT) != 0 && microwire.output() ? value | EECD_DO : value;
    }

    private void eecdWritten(int written) {
        if (model == E1000Model.I82540EM) {
            boolean granted = (written & EECD_REQ) != 0;
            microwire.drive(granted && (written & EECD_CS) != 0, (written & EECD_SK) != 0, (written & EECD_DI) != 0);
        }
    }

    /** EERD: a word beyond the device reads 0 with DONE on the 82540EM; on the 82574 DONE stays clear. */
    private void read(int written) {
        boolean old = model == E1000Model.I82540EM;
        int addressField = old ? written & 0xFF00 : written & 0xFFFC;
        int address = old ? addressField >>> 8 : addressField >>> 2;
        int done = old ? 1 << 4 : 1 << 1;
        int value = addressField;
        if ((written & START) != 0 && address < Eeprom.WORDS) {
            value |= done | eeprom.word(address) << DATA_SHIFT;
        } else if ((written & START) != 0 && old) {
            value |= done;
        } else if (old) {
            value = 0;
        }
        registers.set(E1000Registers.EERD, value);
    }

    private void write(int written) {
        int address = (written & 0xFFFC) >>> 2;
        if ((written & START) != 0 && address < Eeprom.WORDS) {
            eeprom.write(address, written >>> DATA_SHIFT);
        }
        // DONE must be there for the next writer too.
        registers.set(E1000Registers.EEWR, written & ~START | 1 << 1);
    }

    private void mdic(int written) {
        int number = written >>> 16 & 0x1F;
        int address = written >>> 21 & 0x1F;
        boolean reads = (written & MDIC_READ) != 0;
        boolean writes = (written & MDIC_WRITE) != 0;
        if (reads == writes) {
            // No cycle, or two at once: nothing starts.
            return;
        }
        int result = written & ~(MDIC_ERROR | MDIC_READY) | MDIC_READY;
        if (address != Phy.ADDRESS) {
            result |= MDIC_ERROR;
        } else if (writes) {
            result |= phy.write(number, written & MDIC_DATA) ? 0 : MDIC_ERROR;
        } else {
            int value = phy.read(number);
            result = value < 0 ? result | MDIC_ERROR : result & ~MDIC_DATA | value;
        }
        registers.set(E1000Registers.MDIC, result);
        if ((written & MDIC_INTERRUPT) != 0) {
            interrupts.raise(InterruptCause.MDAC);
        }
    }
}

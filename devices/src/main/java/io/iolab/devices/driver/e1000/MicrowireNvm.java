package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;
import io.iolab.devices.driver.DriverPlatform;

/**
 * The 82540EM's EEPROM, read by moving the Microwire pins in EECD one edge at a time (8254x SDM 5.3.1 and 13.4.3). EERD would
 * need three accesses a word; Linux does not use it on this part, so a word costs 160.
 */
final class MicrowireNvm extends Nvm {
    private static final int SK = 1;
    private static final int CS = 1 << 1;
    private static final int DI = 1 << 2;
    private static final int DO = 1 << 3;
    private static final int REQ = 1 << 6;
    private static final int GNT = 1 << 7;
    private static final int SIZE_256_WORDS = 1 << 9;

    /** Start bit 1, then 10b. */
    private static final int OPCODE_READ = 6;

    private static final int OPCODE_BITS = 3;
    private static final int GRANT_ATTEMPTS = 1000;
    private static final long GRANT_WAIT_NANOS = 5_000;
    private static final long CLOCK_NANOS = 50_000;

    private final RegisterWindow registers;
    private final DriverPlatform platform;
    private final int addressBits;

    MicrowireNvm(RegisterWindow registers, DriverPlatform platform) {
        this.registers = registers;
        this.platform = platform;
        addressBits = (registers.read(Reg.EECD) & SIZE_256_WORDS) != 0 ? 8 : 6;
    }

    @Override
    int word(int index) {
        acquire();
        shiftOut(OPCODE_READ, OPCODE_BITS);
        shiftOut(index, addressBits);
        int word = shiftIn();
        standby();
        release();
        return word;
    }

    private void acquire() {
        registers.write(Reg.EECD, registers.read(Reg.EECD) | REQ);
        int eecd = registers.read(Reg.EECD);
        for (int attempt = 0; (eecd & GNT) == 0; attempt++) {
            if (attempt == GRANT_ATTEMPTS) {
                registers.write(Reg.EECD, eecd & ~REQ);
                throw DriverException.register("EECD", eecd & 0xFFFF_FFFFL, "GNT (bit 7) set after REQ");
            }
            platform.delayNanos(GRANT_WAIT_NANOS);
            eecd = registers.read(Reg.EECD);
        }
        registers.write(Reg.EECD, eecd & ~(DI | SK));
        registers.write(Reg.EECD, eecd & ~(DI | SK) | CS);
    }

    private void shiftOut(int bits, int count) {
        int eecd = registers.read(Reg.EECD) & ~DO;
        for (int bit = count - 1; bit >= 0; bit--) {
            eecd = (bits >>> bit & 1) != 0 ? eecd | DI : eecd & ~DI;
            clock(eecd);
            clock(eecd | SK);
            clock(eecd);
        }
        registers.write(Reg.EECD, eecd & ~DI);
    }

    private int shiftIn() {
        int eecd = registers.read(Reg.EECD) & ~(DO | DI);
        int word = 0;
        for (int bit = 0; bit < 16; bit++) {
            clock(eecd | SK);
            eecd = registers.read(Reg.EECD) & ~DI;
            word = word << 1 | ((eecd & DO) != 0 ? 1 : 0);
            eecd &= ~SK;
            clock(eecd);
        }
        return word;
    }

    /** Deselects and selects again between words, with clock pulses that the part needs to notice. */
    private void standby() {
        int eecd = registers.read(Reg.EECD) & ~(CS | SK);
        clock(eecd);
        clock(eecd | SK);
        clock(eecd | SK | CS);
        clock(eecd | CS);
    }

    private void release() {
        int eecd = registers.read(Reg.EECD) & ~(CS | DI);
        registers.write(Reg.EECD, eecd);
        clock(eecd | SK);
        eecd &= ~SK;
        clock(eecd);
        registers.write(Reg.EECD, eecd & ~REQ);
    }

    private void clock(int eecd) {
        registers.write(Reg.EECD, eecd);
        registers.flush();
        platform.delayNanos(CLOCK_NANOS);
    }
}

package io.iolab.devices.e1000;

/**
 * A 93C46 on the serial pins of EECD: start bit, two opcode bits, six address bits, then sixteen data bits, most significant
 * first; the device samples DI and changes DO on the rising edge of SK (82540 SDM 5.3). DO is high while it has nothing to say,
 * which after a write means ready.
 */
final class Microwire {
    private static final int ADDRESS_BITS = 6;
    private static final int COMMAND_BITS = 3 + ADDRESS_BITS;

    private static final int OPCODE_EXTENDED = 0;
    private static final int OPCODE_WRITE = 1;
    private static final int OPCODE_READ = 2;
    private static final int OPCODE_ERASE = 3;
    private static final int ERASED = 0xFFFF;

    private final Eeprom eeprom;
    private boolean selected;
    private boolean clock;
    private boolean output = true;
    private boolean writesEnabled;
    /** Bits shifted in since the start bit, which counts as one. */
    private int bits;

    private int command;

    private int data;

    Microwire(Eeprom eeprom) {
        this.eeprom = eeprom;
    }

    /** The level of DO. */
    boolean output() {
        return output;
    }

    /** New levels on the pins. */
    void drive(boolean chipSelect, boolean serialClock, boolean input) {
        boolean rising = serialClock && !clock;
        clock = serialClock;
        if (!chipSelect) {
            if (selected) {
                finish();
            }
            selected = false;
            bits = 0;
            command = 0;
            data = 0;
            output = true;
            return;
        }
        selected = true;
        if (rising) {
            rise(input);
        }
    }

    private void rise(boolean input) {
        if (bits == 0 && !input) {
            // Still waiting for the start bit.
            return;
        }
        if (bits < COMMAND_BITS) {
            command = command << 1 | (input ? 1 : 0);
            bits++;
            // The dummy bit that precedes data.
            output = bits < COMMAND_BITS || opcode() != OPCODE_READ;
        } else if (opcode() == OPCODE_READ) {
            int position = bits++ - COMMAND_BITS;
            // Reading on past a word gives the next one.
            int word = eeprom.word(address() + position / 16 & Eeprom.WORDS - 1);
            output = (word >>> 15 - position % 16 & 1) != 0;
            // Keeps the position bounded however long software clocks.
            if (bits == COMMAND_BITS + 16 * Eeprom.WORDS) {
                bits = COMMAND_BITS;
            }
        } else if (bits < COMMAND_BITS + 16) {
            data = data << 1 | (input ? 1 : 0);
            bits++;
        }
    }

    private int opcode() {
        return command >>> ADDRESS_BITS & 3;
    }

    private int address() {
        return command & Eeprom.WORDS - 1;
    }

    /** Chip select fell: a complete write or erase takes place. */
    private void finish() {
        if (bits < COMMAND_BITS) {
            return;
        }
        boolean hasData = bits == COMMAND_BITS + 16;
        switch (opcode()) {
            case OPCODE_WRITE -> {
                if (hasData && writesEnabled) {
                    eeprom.write(address(), data);
                }
            }
            case OPCODE_ERASE -> {
                if (writesEnabled) {
                    eeprom.write(address(), ERASED);
                }
            }
            case OPCODE_EXTENDED -> finishExtended(hasData);
            default -> {}
        }
    }

    /** The upper two address bits of opcode 00 choose: disable, write all, erase all, enable. */
    private void finishExtended(boolean hasData) {
        switch (address() >>> 4) {
            case 0 -> writesEnabled = false;
            case 3 -> writesEnabled = true;
            default -> {
                boolean erase = address() >>> 4 == 2;
                for (int i = 0; writesEnabled && (erase || hasData) && i < Eeprom.WORDS; i++) {
                    eeprom.write(i, erase ? ERASED : data);
                }
            }
        }
    }
}

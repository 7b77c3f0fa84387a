package io.iolab.devices.e1000;

/**
 * The configuration EEPROM: 64 words of 16 bits, checksum word included (82540 SDM chapter 5). Its content survives every
 * reset. The template is that of a board with wake-up enabled (word 24h, bit 10), which makes the controller come up with
 * CTRL.SLU set (82540 SDM 13.4, CTRL): a driver that never touches SLU gets its link.
 */
final class Eeprom {
    static final int WORDS = 64;
    /** All words add up to this (82540 SDM 5.6, word 3Fh). */
    static final int CHECKSUM = 0xBABA;

    private static final int CHECKSUM_WORD = 0x3F;
    private static final int INIT_CONTROL_1 = 0x0A;
    private static final int INIT_CONTROL_3 = 0x24;
    private static final int APM_ENABLE = 1 << 10;

    private static final int SUBSYSTEM_ID = 0x0B;
    private static final int SUBSYSTEM_VENDOR = 0x0C;

    private static final int[] I82540EM = {
        0x0000, 0x0000, 0x0000, 0x0000, 0xFFFF, 0x0000, 0x0000, 0x0000, 0x3000, 0x1000, 0x6403, 0x001E, 0x8086, 0x100E,
        0x8086, 0x3040, 0x0008, 0x2000, 0x7E14, 0x0048, 0x1000, 0x00D8, 0x0000, 0x2700, 0x6CC9, 0x3150, 0x0722, 0x040B,
        0x0984, 0x0000, 0xC000, 0x0706, 0x1008, 0x0000, 0x0F04, 0x7FFF, 0x4D01, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
        0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0x0602, 0x0100, 0x4000, 0x121C, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
        0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0x0000
    };

    /** Word 1Bh, bits 9:7: four, that is five MSI-X vectors. */
    private static final int[] I82574L = {
        0x0000, 0x0000, 0x0000, 0x0420, 0xF746, 0x2010, 0xFFFF, 0xFFFF, 0x0000, 0x0000, 0x026B, 0xA01F, 0x8086, 0x10D3,
        0x8086, 0x8058, 0x0000, 0x2001, 0x7E7C, 0xFFFF, 0x1000, 0x00C8, 0x0000, 0x2704, 0x6CC9, 0x3150, 0x070E, 0x460B,
        0x2D84, 0x0100, 0xF000, 0x0706, 0x6000, 0x0080, 0x0F04, 0x7FFF, 0x4F01, 0xC600, 0x0000, 0x20FF, 0x0028, 0x0003,
        0x0000, 0x0000, 0x0000, 0x0003, 0x0000, 0xFFFF, 0x0100, 0xC000, 0x121C, 0xC007, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,
        0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0x0000, 0x0120, 0xFFFF, 0x0000
    };

    private final E1000Model model;
    private final int[] words;

    /** @param mac the six bytes of the station address, first byte on the wire first */
    Eeprom(E1000Model model, byte[] mac) {
        if (mac.length != 6 || (mac[0] & 1) != 0) {
            throw new IllegalArgumentException("a station address is six bytes, not multicast");
        }
        this.model = model;
        words = (model == E1000Model.I82540EM ? I82540EM : I82574L).clone();
        int sum = 0;
        for (int i = 0; i < 3; i++) {
            words[i] = mac[2 * i] & 0xFF | (mac[2 * i + 1] & 0xFF) << 8;
        }
        for (int i = 0; i < CHECKSUM_WORD; i++) {
            sum += words[i];
        }
        words[CHECKSUM_WORD] = CHECKSUM - sum & 0xFFFF;
    }

    E1000Model model() {
        return model;
    }

    int word(int index) {
        return words[index];
    }

    void write(int index, int value) {
        words[index] = value & 0xFFFF;
    }

    int subsystemId() {
        return words[SUBSYSTEM_ID];
    }

    int subsystemVendor() {
        return words[SUBSYSTEM_VENDOR];
    }

    int initControl1() {
        return words[INIT_CONTROL_1];
    }

    boolean wakeUpEnabled() {
        return (words[INIT_CONTROL_3] & APM_ENABLE) != 0;
    }
}

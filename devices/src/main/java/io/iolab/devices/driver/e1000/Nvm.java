package io.iolab.devices.driver.e1000;

import io.iolab.devices.driver.DriverException;

/** The words that the part keeps over a power cycle (8254x SDM chapter 5). */
abstract class Nvm {
    static final int WORD_LED = 0x04;
    static final int WORD_VERSION = 0x05;
    static final int WORD_CONTROL_2 = 0x0F;
    static final int WORD_APM = 0x24;
    private static final int CHECKSUM_WORDS = 0x40;
    private static final int CHECKSUM = 0xBABA;

    /** @return 16 bits */
    abstract int word(int index);

    /** @throws DriverException unless words 00h to 3Fh add up to BABAh */
    final void validateChecksum() {
        int sum = 0;
        for (int i = 0; i < CHECKSUM_WORDS; i++) {
            sum += word(i);
        }
        if ((sum & 0xFFFF) != CHECKSUM) {
            throw DriverException.register("EEPROM checksum of words 00h-3Fh", sum & 0xFFFF, "0xbaba");
        }
    }

    /** @throws DriverException if it is zero or a group address */
    final byte[] macAddress() {
        byte[] mac = new byte[6];
        long bits = 0;
        for (int i = 0; i < 3; i++) {
            int word = word(i);
            mac[2 * i] = (byte) word;
            mac[2 * i + 1] = (byte) (word >>> 8);
            bits |= (long) word << 16 * i;
        }
        if (bits == 0 || (mac[0] & 1) != 0) {
            throw DriverException.register("EEPROM words 00h-02h", bits, "a unicast station address");
        }
        return mac;
    }
}

package io.iolab.devices.driver.igb;

/** Word 0 of a mailbox message: type 15:0, info 23:16, and three flags (82576 datasheet 7.10.2.9, as Linux's drivers speak it). */
final class Message {
    static final int WORDS = 16;

    static final int RESET = 0x01;
    static final int SET_MAC = 0x02;
    static final int SET_MULTICAST = 0x03;
    static final int SET_VLAN = 0x04;
    static final int SET_LPE = 0x05;
    static final int SET_PROMISC = 0x06;
    static final int PING = 0x0100;

    static final int TYPE = 0xFFFF;
    static final int INFO_SHIFT = 16;
    static final int INFO = 0xFF;
    static final int CTS = 1 << 29;
    static final int NACK = 1 << 30;
    static final int ACK = 1 << 31;

    private Message() {}

    /** The first four bytes of an address as the word that carries them. */
    static int addressLow(byte[] mac) {
        return mac[0] & 0xFF | (mac[1] & 0xFF) << 8 | (mac[2] & 0xFF) << 16 | mac[3] << 24;
    }

    static int addressHigh(byte[] mac) {
        return mac[4] & 0xFF | (mac[5] & 0xFF) << 8;
    }

    static byte[] address(int low, int high) {
        return new byte[] {
            (byte) low, (byte) (low >>> 8), (byte) (low >>> 16), (byte) (low >>> 24), (byte) high, (byte) (high >>> 8)
        };
    }
}

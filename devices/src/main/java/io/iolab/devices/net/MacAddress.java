package io.iolab.devices.net;

/**
 * A 48-bit Ethernet address (IEEE 802-2014 clause 8). Hot paths keep it as the {@code long} that {@link #bits} gives, named
 * {@code mac}.
 *
 * @param bits the address as a number: the first byte on the wire is bits 47:40
 */
public record MacAddress(long bits) {
    /** Bytes in an address. */
    public static final int LENGTH = 6;

    public static final MacAddress BROADCAST = new MacAddress(0xFFFF_FFFF_FFFFL);

    private static final long GROUP = 1L << 40;
    private static final long LOCAL = 1L << 41;

    public MacAddress {
        if (bits >>> 48 != 0) {
            throw new IllegalArgumentException("0x" + Long.toHexString(bits) + " is wider than 48 bits");
        }
    }

    /**
     * Reads the usual form, {@code 52:54:00:12:34:56}; hyphens will do as well, in any letter case.
     *
     * @throws IllegalArgumentException if the text is anything else
     */
    public static MacAddress parse(String text) {
        char separator = text.length() == 17 ? text.charAt(2) : 0;
        if (separator != ':' && separator != '-') {
            throw unreadable(text);
        }
        long bits = 0;
        for (int i = 0; i < 17; i++) {
            char c = text.charAt(i);
            if (i % 3 == 2) {
                if (c != separator) {
                    throw unreadable(text);
                }
                continue;
            }
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw unreadable(text);
            }
            bits = bits << 4 | digit;
        }
        return new MacAddress(bits);
    }

    private static IllegalArgumentException unreadable(String text) {
        return new IllegalArgumentException("\"" + text + "\" is not an Ethernet address such as 52:54:00:12:34:56");
    }

    /** The address in six bytes of a frame. */
    public static MacAddress at(byte[] bytes, int offset) {
        return new MacAddress(get(bytes, offset));
    }

    /** {@link #at} without an object. */
    public static long get(byte[] bytes, int offset) {
        return (long) BigEndian.getShort(bytes, offset) << 32 | BigEndian.getInt(bytes, offset + 2) & 0xFFFF_FFFFL;
    }

    public static void put(byte[] bytes, int offset, long mac) {
        BigEndian.putShort(bytes, offset, (int) (mac >>> 32));
        BigEndian.putInt(bytes, offset + 2, (int) mac);
    }

    /** A fresh array of six bytes in wire order. */
    public byte[] toBytes() {
        byte[] bytes = new byte[LENGTH];
        put(bytes, 0, bits);
        return bytes;
    }

    public boolean isBroadcast() {
        return isBroadcast(bits);
    }

    /** Whether this addresses a group: the low bit of the first byte is set. True of the broadcast address, too. */
    public boolean isMulticast() {
        return isMulticast(bits);
    }

    /** Whether the address was made up locally instead of being assigned by a vendor. */
    public boolean isLocal() {
        return (bits & LOCAL) != 0;
    }

    public static boolean isBroadcast(long mac) {
        return mac == 0xFFFF_FFFF_FFFFL;
    }

    public static boolean isMulticast(long mac) {
        return (mac & GROUP) != 0;
    }

    /** Lower case, colons. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(17);
        for (int shift = 40; shift >= 0; shift -= 8) {
            text.append(Character.forDigit((int) (bits >>> shift + 4) & 0xF, 16))
                    .append(Character.forDigit((int) (bits >>> shift) & 0xF, 16));
            if (shift > 0) {
                text.append(':');
            }
        }
        return text.toString();
    }
}

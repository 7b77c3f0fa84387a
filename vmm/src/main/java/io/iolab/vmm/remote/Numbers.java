package io.iolab.vmm.remote;

/** Numbers as C's strtoull reads them with base 0: {@code 0x} hexadecimal, a leading {@code 0} octal, else decimal; 64 bits. */
final class Numbers {
    private Numbers() {}

    /** @throws NumberFormatException if the text is anything else */
    static long parse(String text) {
        if (text.startsWith("0x") || text.startsWith("0X")) {
            return Long.parseUnsignedLong(text, 2, text.length(), 16);
        }
        if (text.startsWith("-")) {
            return -parse(text.substring(1));
        }
        boolean octal = text.length() > 1 && text.charAt(0) == '0';
        return Long.parseUnsignedLong(text, octal ? 8 : 10);
    }
}

package io.iolab.scenarios.attack;

import java.util.Arrays;

/**
 * Bytes as evidence.
 *
 * @param title whose, and where
 * @param address of the first
 * @param bytes as many as are worth showing
 */
@SuppressWarnings("ArrayRecordComponent") // shown, never compared
public record BytesFound(String title, long address, byte[] bytes) {
    private static final int MOST = 64;
    private static final int ROW = 16;

    static BytesFound of(String title, long address, byte[] bytes) {
        return new BytesFound(title, address, Arrays.copyOf(bytes, Math.min(bytes.length, MOST)));
    }

    /** Rows of sixteen bytes with their addresses, each with a line feed. */
    public String dump(String indent) {
        StringBuilder out = new StringBuilder();
        for (int row = 0; row < bytes.length; row += ROW) {
            out.append(indent).append(String.format("%08x ", address + row));
            StringBuilder text = new StringBuilder();
            for (int i = row; i < Math.min(bytes.length, row + ROW); i++) {
                out.append(String.format(" %02x", bytes[i]));
                text.append(bytes[i] >= ' ' && bytes[i] < 0x7F ? (char) bytes[i] : '.');
            }
            out.append("  ").append(text).append('\n');
        }
        return out.toString();
    }
}

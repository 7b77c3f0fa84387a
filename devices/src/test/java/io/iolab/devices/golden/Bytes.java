package io.iolab.devices.golden;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;

/** Builds descriptors and packets field by field. */
final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    static byte[] join(byte[]... parts) {
        Bytes all = new Bytes();
        for (byte[] part : parts) {
            all.raw(part);
        }
        return all.toArray();
    }

    /** 0, 1, 2 ... */
    static byte[] ramp(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    Bytes u8(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    Bytes le16(int value) {
        return u8(value, value >>> 8);
    }

    Bytes le32(long value) {
        return le16((int) value).le16((int) (value >>> 16));
    }

    Bytes le64(long value) {
        return le32(value).le32(value >>> 32);
    }

    Bytes be16(int value) {
        return u8(value >>> 8, value);
    }

    Bytes be32(long value) {
        return be16((int) (value >>> 16)).be16((int) value);
    }

    Bytes raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    byte[] toArray() {
        return out.toByteArray();
    }
}

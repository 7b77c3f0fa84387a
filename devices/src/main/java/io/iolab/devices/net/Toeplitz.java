package io.iolab.devices.net;

/**
 * The Toeplitz hash by which adapters spread flows over queues (virtio 1.2 section 5.1.6.4.3; 82574 datasheet 7.1.2.1): each
 * set bit of the input adds, without carry, the 32 bits of the key that start at its position. Which fields of a packet are
 * the input is the caller's affair; at most both IPv6 addresses and both ports.
 *
 * <p>Tables are built at the first use of a key, so that programming a key byte by byte costs nothing.
 */
public final class Toeplitz {
    /** A key covers the longest input. */
    public static final int KEY_BYTES = 40;
    /** Both IPv6 addresses and both ports. */
    public static final int INPUT_BYTES = 36;

    private final byte[] key = new byte[KEY_BYTES];
    /** For each input byte position and value, what it adds to the hash. */
    private int[] table = {};

    private boolean stale = true;

    /** Sets a key of up to {@value #KEY_BYTES} bytes; zeros follow a shorter one. */
    public void key(byte[] bytes, int offset, int length) {
        for (int i = 0; i < KEY_BYTES; i++) {
            key[i] = i < length ? bytes[offset + i] : 0;
        }
        stale = true;
    }

    /** Sets the four key bytes from {@code index} on; the lowest byte of {@code word} comes first. */
    public void keyWord(int index, int word) {
        for (int i = 0; i < 4; i++) {
            key[index + i] = (byte) (word >>> 8 * i);
        }
        stale = true;
    }

    /**
     * The share of some input bytes in the hash; the hash is the exclusive or of all shares.
     *
     * @param position of the first of these bytes in the input; {@code position + length} is at most {@value #INPUT_BYTES}
     */
    public int share(byte[] bytes, int offset, int length, int position) {
        if (stale) {
            build();
        }
        int sum = 0;
        for (int i = 0; i < length; i++) {
            sum ^= table[256 * (position + i) + (bytes[offset + i] & 0xFF)];
        }
        return sum;
    }

    private void build() {
        if (table.length == 0) {
            table = new int[INPUT_BYTES * 256];
        }
        for (int i = 0; i < INPUT_BYTES; i++) {
            long window = 0;
            for (int k = 0; k < 5; k++) {
                window = window << 8 | (i + k < KEY_BYTES ? key[i + k] & 0xFF : 0);
            }
            for (int value = 0; value < 256; value++) {
                int sum = 0;
                for (int bit = 0; bit < 8; bit++) {
                    sum ^= (value & 0x80 >>> bit) != 0 ? (int) (window >>> 8 - bit) : 0;
                }
                table[256 * i + value] = sum;
            }
        }
        stale = false;
    }
}

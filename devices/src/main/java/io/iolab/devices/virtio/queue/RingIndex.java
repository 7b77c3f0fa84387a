package io.iolab.devices.virtio.queue;

/**
 * Arithmetic on free-running 16-bit ring indices (virtio 1.2 sections 2.7.6 to 2.7.10), the only place where an index is
 * wrapped, and on places in a packed ring. Indices are ints from 0 to 65535.
 */
public final class RingIndex {
    private static final int MASK = 0xFFFF;

    private RingIndex() {}

    /** {@code index + count}, wrapped; {@code count} may be negative. */
    public static int advance(int index, int count) {
        return index + count & MASK;
    }

    /** How many entries lie in {@code [from, to)}: 0 to 65535. */
    public static int distance(int from, int to) {
        return to - from & MASK;
    }

    /**
     * The ring slot of an index.
     *
     * @param size a power of two up to 32768, so that slots stay continuous where the index wraps
     */
    public static int slot(int index, int size) {
        return index & size - 1;
    }

    /**
     * Whether moving an index from {@code old} to {@code next} crosses {@code event}: whether {@code event} lies in
     * {@code [old, next)} (virtio 1.2 section 2.7.10).
     */
    public static boolean needsEvent(int event, int next, int old) {
        return (next - event - 1 & MASK) < (next - old & MASK);
    }

    /**
     * Whether moving by {@code count} descriptors to {@code slot} of a packed ring passed a place of an event suppression
     * structure (virtio 1.2 section 2.8.14).
     *
     * @param place slot in bits 14:0, wrap counter in bit 15
     * @param wrap the wrap counter at {@code slot}
     * @param size of the ring
     */
    static boolean passed(int place, int slot, boolean wrap, int count, int size) {
        int event = place & 0x7FFF;
        if (place >>> 15 != (wrap ? 1 : 0)) {
            event -= size;
        }
        // Between two decisions the ring may have been gone through more than once.
        return needsEvent(event, slot, slot - Math.min(count, MASK));
    }
}

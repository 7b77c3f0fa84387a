package io.iolab.devices.virtio.queue;

/**
 * Arithmetic on free-running 16-bit ring indices (virtio 1.2 sections 2.7.6 to 2.7.10), the only place where an index is
 * wrapped. Indices are ints from 0 to 65535.
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
}

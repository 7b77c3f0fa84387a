package io.iolab.devices.driver.virtio;

/** Arithmetic on free-running 16-bit ring indices (virtio 1.2 sections 2.7.6 to 2.7.10). */
final class RingIndex {
    private static final int MASK = 0xFFFF;

    private RingIndex() {}

    /** The index at a position that was counted on. */
    static int of(long position) {
        return (int) position & MASK;
    }

    /** How far {@code to} is ahead of {@code from}: 0 to 65535. */
    static int distance(int from, int to) {
        return to - from & MASK;
    }

    /** Whether moving from {@code old} to {@code index} passed {@code event}: it lies in [old, index). */
    static boolean passed(int event, int old, int index) {
        return distance(old, event) < distance(old, index);
    }
}

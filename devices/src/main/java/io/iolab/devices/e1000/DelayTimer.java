package io.iolab.devices.e1000;

/**
 * A packet timer with an absolute limit: RDTR with RADV, TIDV with TADV (82540 SDM 3.2.7.1 and 3.4.2). Each event restarts the
 * packet timer; the absolute timer starts with the first event and does not restart. Whichever ends first ends both.
 */
final class DelayTimer {
    static final long NEVER = Long.MAX_VALUE;
    /** Unit of all four registers, in nanoseconds. */
    private static final long TICK = 1024;

    private long packetDeadline = NEVER;
    private long absoluteDeadline = NEVER;
    private boolean absoluteEnded;

    /** @param absolute 0 for no limit */
    void restart(long now, int delay, int absolute) {
        packetDeadline = now + delay * TICK;
        if (absolute != 0 && absoluteDeadline == NEVER) {
            absoluteDeadline = now + absolute * TICK;
        }
    }

    boolean running() {
        return packetDeadline != NEVER;
    }

    long deadline() {
        return Math.min(packetDeadline, absoluteDeadline);
    }

    /** Ends the delay if it is over. */
    boolean expire(long now) {
        if (!running() || now < deadline()) {
            return false;
        }
        absoluteEnded = absoluteDeadline < packetDeadline;
        cancel();
        return true;
    }

    /** Whether the last delay that {@link #expire} ended ran into its absolute limit. */
    boolean absoluteEnded() {
        return absoluteEnded;
    }

    void cancel() {
        packetDeadline = NEVER;
        absoluteDeadline = NEVER;
    }
}

package io.iolab.vmm.remote;

import io.iolab.devices.time.Clock;

/** The machine's clock, which starts at 0: one that stands still until the client moves it, or one that follows the host's. */
final class MachineTime implements Clock {
    private final boolean virtual;
    private final long start = System.nanoTime();
    private long nanos;

    MachineTime(boolean virtual) {
        this.virtual = virtual;
    }

    /** Whether only {@link #advanceTo} moves it. */
    boolean virtual() {
        return virtual;
    }

    @Override
    public long nanos() {
        return virtual ? nanos : System.nanoTime() - start;
    }

    /** Moves a virtual clock; it never goes back. */
    void advanceTo(long when) {
        nanos = Math.max(nanos, when);
    }
}

package io.iolab.vmm.inject;

/** Lets the first so many events pass: a bug that is there from the first frame on shows nothing but silence. */
final class Trigger {
    private long left;
    private volatile boolean struck;

    Trigger(long events) {
        left = events;
    }

    /** Whether it has struck; from any thread. */
    boolean struck() {
        return struck;
    }

    /** An event. @return whether the bug strikes */
    boolean strikes() {
        return strikes(1);
    }

    /** So many events at once. @return whether the bug strikes */
    boolean strikes(long events) {
        if (left <= 0) {
            if (!struck) {
                struck = true;
            }
            return true;
        }
        left -= events;
        return false;
    }
}

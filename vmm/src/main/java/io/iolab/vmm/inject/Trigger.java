package io.iolab.vmm.inject;

/** Lets the first so many events pass: a bug that is there from the first frame on shows nothing but silence. */
final class Trigger {
    private long left;

    Trigger(long events) {
        left = events;
    }

    /** An event. @return whether the bug strikes */
    boolean strikes() {
        return strikes(1);
    }

    /** So many events at once. @return whether the bug strikes */
    boolean strikes(long events) {
        if (left <= 0) {
            return true;
        }
        left -= events;
        return false;
    }
}

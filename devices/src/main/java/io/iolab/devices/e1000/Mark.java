package io.iolab.devices.e1000;

/** Something that happened, until somebody has taken note of it. */
final class Mark {
    private boolean set;

    void set() {
        set = true;
    }

    /** Whether it was set since the last call. */
    boolean take() {
        boolean value = set;
        set = false;
        return value;
    }
}

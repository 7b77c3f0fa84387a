package io.iolab.devices.ringorder;

/** Which store-load fences are performed: all, or all but those right after a store to one place. */
record Fences(long lostFrom, long lostTo) {
    static final Fences ALL = new Fences(0, 0);

    boolean kept(long lastStored) {
        return lastStored < lostFrom || lastStored >= lostTo;
    }
}

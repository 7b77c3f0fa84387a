package io.iolab.devices.time;

/** Injected time. */
@FunctionalInterface
public interface Clock {
    /** Nanoseconds since an arbitrary start; never goes back for one reader. */
    long nanos();
}

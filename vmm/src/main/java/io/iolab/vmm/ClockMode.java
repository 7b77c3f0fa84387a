package io.iolab.vmm;

/** Which of the two clocks a run uses. */
public enum ClockMode {
    /** Deterministic: costs from the profile, one thread. */
    VIRTUAL,
    /** Real threads and the machine's own time. */
    WALL
}

package io.iolab.devices.virtio;

/**
 * The device status field (virtio 1.2 sections 2.1 and 3.1.1).
 *
 * <pre>
 *   0 --> ACKNOWLEDGE --> +DRIVER --> +FEATURES_OK --> +DRIVER_OK          (several steps may come in one write,
 *   ^                                 stays clear if       |                but DRIVER_OK only after FEATURES_OK
 *   |                                 features are bad     | malformed ring  could be read back)
 *   |                                                      v
 *   +--- write 0, from anywhere                         +NEEDS_RESET
 *        +FAILED from anywhere but 0; nothing but a reset leaves it
 * </pre>
 */
final class StatusMachine {
    static final int ACKNOWLEDGE = 1;
    static final int DRIVER = 2;
    static final int DRIVER_OK = 4;
    static final int FEATURES_OK = 8;
    static final int NEEDS_RESET = 64;
    static final int FAILED = 128;

    private static final int PROGRESS = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;

    /** What a write did. */
    enum Outcome {
        RESET,
        UNCHANGED,
        ADVANCED,
        /** FEATURES_OK was asked for and stays clear; steps before it were taken. */
        FEATURES_REFUSED,
        STARTED,
        GIVEN_UP,
        /** Forbidden in this state: nothing changed. */
        ILLEGAL
    }

    private int status;

    int status() {
        return status;
    }

    boolean has(int bit) {
        return (status & bit) != 0;
    }

    /** Whether the device may use its queues. */
    boolean running() {
        return (status & (DRIVER_OK | NEEDS_RESET | FAILED)) == DRIVER_OK;
    }

    /**
     * A write by the driver. Reserved bits and NEEDS_RESET, which is the device's, are not looked at.
     *
     * @param featuresValid whether the features accepted so far may be confirmed
     */
    Outcome write(int written, boolean featuresValid) {
        if (written == 0) {
            status = 0;
            return Outcome.RESET;
        }
        int wanted = written & (PROGRESS | FAILED);
        int held = status & (PROGRESS | FAILED);
        int added = wanted & ~held;
        // The driver must not clear a bit (section 2.1.1).
        if ((held & ~wanted) != 0 || wanted == 0) {
            return Outcome.ILLEGAL;
        }
        if (added == 0) {
            return Outcome.UNCHANGED;
        }
        if (added == FAILED && held != 0) {
            status |= FAILED;
            return Outcome.GIVEN_UP;
        }
        if ((wanted & FAILED) != 0
                || !inOrder(wanted)
                || (added & (FEATURES_OK | DRIVER_OK)) == (FEATURES_OK | DRIVER_OK)) {
            return Outcome.ILLEGAL;
        }
        if ((added & FEATURES_OK) != 0 && !featuresValid) {
            status |= added & ~FEATURES_OK;
            return Outcome.FEATURES_REFUSED;
        }
        status |= added;
        return (added & DRIVER_OK) != 0 ? Outcome.STARTED : Outcome.ADVANCED;
    }

    private static boolean inOrder(int progress) {
        return switch (progress) {
            case ACKNOWLEDGE, ACKNOWLEDGE | DRIVER, ACKNOWLEDGE | DRIVER | FEATURES_OK, PROGRESS -> true;
            default -> false;
        };
    }

    /** The device's own transition. */
    void needsReset() {
        status |= NEEDS_RESET;
    }
}

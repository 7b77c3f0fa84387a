package io.iolab.devices.ringorder;

/**
 * The next thing that a side does.
 *
 * @param value what is stored, little-endian, in the low {@code width} bytes
 * @param release whether a store is performed after all stores before it
 */
record Step(Kind kind, int address, int width, long value, boolean release, String message) {
    enum Kind {
        LOAD,
        STORE,
        /** Later loads wait until earlier stores are performed. */
        FENCE,
        /** A kick or an interrupt: the other side's token is set. It does not overtake stores, as no doorbell does. */
        NOTIFY,
        /** Waits for the own token and clears it. */
        SLEEP,
        /** The program is over. */
        END,
        /** The program has found something wrong. */
        FAIL
    }

    static Step of(Kind kind) {
        return new Step(kind, 0, 0, 0, false, "");
    }

    static Step fail(String message) {
        return new Step(Kind.FAIL, 0, 0, 0, false, message);
    }

    @Override
    public String toString() {
        return switch (kind) {
            case LOAD -> "load " + address + "+" + width;
            case STORE -> (release ? "store-release " : "store ") + address + "+" + width + " = " + value;
            case FAIL -> "fail: " + message;
            default -> kind.name();
        };
    }
}

package io.iolab.scenarios.attack;

import java.util.Locale;

/** Whether the defence that an attack names is in force. */
public enum Defence {
    OFF,
    ON;

    /** {@code on} or {@code off}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package io.iolab.scenarios.attack;

/**
 * What an attack achieved.
 *
 * @param amount of {@code unit}; 0 if blocked
 * @param unit what was counted: {@code byte}, {@code interrupt}, {@code frame}, {@code page request}; empty if blocked
 */
public record Verdict(Kind kind, long amount, String unit) {
    /** Ways to end. */
    public enum Kind {
        BLOCKED,
        /** Bytes that the attacker has and must not have. */
        LEAKED,
        /** Bytes of somebody else that are not what they were. */
        CORRUPTED,
        /** Messages that arrived and should not: in somebody else's name, or with nothing behind them. */
        FORGED,
        /** Requests of somebody else that were lost. */
        DENIED
    }

    /** Nothing was achieved. */
    public static Verdict blocked() {
        return new Verdict(Kind.BLOCKED, 0, "");
    }

    /** By the number of bytes that the attacker saw; blocked if none. */
    public static Verdict leaked(long bytes) {
        return of(Kind.LEAKED, bytes, "byte");
    }

    /** By the number of bytes that changed; blocked if none. */
    public static Verdict corrupted(long bytes) {
        return of(Kind.CORRUPTED, bytes, "byte");
    }

    /** By the number of interrupts that arrived; blocked if none. */
    public static Verdict forged(long interrupts) {
        return of(Kind.FORGED, interrupts, "interrupt");
    }

    /** Blocked if {@code amount} is 0. */
    public static Verdict of(Kind kind, long amount, String unit) {
        return amount == 0 ? blocked() : new Verdict(kind, amount, unit);
    }

    /** {@code LEAKED 4096 bytes}. */
    @Override
    public String toString() {
        return kind == Kind.BLOCKED ? "BLOCKED" : kind + " " + amount + " " + unit + (amount == 1 ? "" : "s");
    }
}

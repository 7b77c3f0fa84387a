package io.iolab.devices.ringorder;

import io.iolab.devices.ringorder.Step.Kind;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Runs a program up to its first step whose result is not known. */
final class Replay {

    /** Leaves the program where it stands. */
    private static final class Suspended extends Error {
        private static final long serialVersionUID = 1;

        Suspended() {
            super("suspended", null, false, false);
        }
    }

    private static final Suspended SUSPENDED = new Suspended();

    private final long[] results;
    private final int count;
    private int position;
    private @Nullable Step next;

    private Replay(long[] results, int count) {
        this.results = results;
        this.count = count;
    }

    /** The step that follows the first {@code count} ones, which had these results. */
    static Step next(Program program, long[] results, int count) {
        Replay replay = new Replay(results, count);
        try {
            program.run(replay);
            return Step.of(Kind.END);
        } catch (Suspended expected) {
            return Objects.requireNonNull(replay.next);
        }
    }

    long load(long address, int width) {
        if (position == count) {
            suspend(new Step(Kind.LOAD, (int) address, width, 0, false, ""));
        }
        return results[position++];
    }

    void store(long address, int width, long value, boolean release) {
        if (position == count) {
            long mask = width == 8 ? -1 : (1L << 8 * width) - 1;
            suspend(new Step(Kind.STORE, (int) address, width, value & mask, release, ""));
        }
        position++;
    }

    void step(Kind kind) {
        if (position == count) {
            suspend(Step.of(kind));
        }
        position++;
    }

    /** Ends the exploration. */
    void fail(String message) {
        suspend(Step.fail(message));
    }

    private void suspend(Step step) {
        next = step;
        throw SUSPENDED;
    }
}

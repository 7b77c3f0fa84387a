package io.iolab.devices.ringorder;

import io.iolab.devices.ringorder.Step.Kind;
import java.nio.LongBuffer;
import java.util.Arrays;
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
    private final boolean landmarks;
    private int position;
    private @Nullable ProgramState landmark;
    private int landmarkPosition;
    private Step next = Step.of(Kind.END);

    private Replay(long[] results, int count, boolean landmarks) {
        this.results = results;
        this.count = count;
        this.landmarks = landmarks;
    }

    /**
     * Runs the program as far as the first {@code count} steps, which had these results, take it.
     *
     * @param landmarks whether they are looked at
     */
    static Replay upTo(Program program, long[] results, int count, boolean landmarks) {
        Replay replay = new Replay(results, count, landmarks);
        try {
            program.run(replay);
        } catch (Suspended expected) {
            // It stands before the next step.
        }
        return replay;
    }

    /** The step that follows. */
    Step next() {
        return next;
    }

    /** All that what follows can depend on: the last landmark and the results since, or else all of them. */
    Place place() {
        return new Place(landmark, LongBuffer.wrap(Arrays.copyOfRange(results, landmarkPosition, count)));
    }

    /** Where a program stands. */
    record Place(@Nullable ProgramState landmark, LongBuffer resultsSince) {}

    /**
     * Tells that what the program does from here on depends on this and on later results only, however it came here.
     *
     * @param subject the queue, every field of which counts
     * @param locals what else the program remembers, the place in its text included
     */
    void landmark(Object subject, long... locals) {
        if (landmarks) {
            landmark = ProgramState.of(subject, locals);
            landmarkPosition = position;
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

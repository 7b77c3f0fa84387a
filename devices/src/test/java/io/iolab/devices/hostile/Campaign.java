package io.iolab.devices.hostile;

/**
 * How long a random attack lasts and from which seed. The properties {@code iolab.hostile.seed} and
 * {@code iolab.hostile.count} replace what a test asks for, so that a failure can be run again alone.
 */
record Campaign(String what, long seed, int count) {
    private static final String SEED = "iolab.hostile.seed";
    private static final String COUNT = "iolab.hostile.count";

    static Campaign of(String what, long seed, int count) {
        return new Campaign(what, Long.getLong(SEED, seed), Integer.getInteger(COUNT, count));
    }

    /** Names the seed, the step and how to run it again. */
    AssertionError failure(Target target, int step, String after, Throwable cause) {
        return new AssertionError(
                target + ", " + this + ": at " + step + " after " + after + ": " + cause
                        + "\nreplay: mvn -pl devices test" + " -Dtest='Hostile*Test,Malformed*Test' -D" + SEED + "="
                        + seed + " -D" + COUNT + "=" + (step + 1),
                cause);
    }

    @Override
    public String toString() {
        return "seed " + seed + ", " + count + " " + what;
    }
}

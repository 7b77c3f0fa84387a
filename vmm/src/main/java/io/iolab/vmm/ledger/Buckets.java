package io.iolab.vmm.ledger;

/** Counts of durations by explicit bounds, as metrics systems export them. One writer. */
public final class Buckets {
    private static final long[] BOUNDS_NANOS = {
        250,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        20_000,
        50_000,
        100_000,
        200_000,
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        100_000_000
    };

    private final long[] counts = new long[BOUNDS_NANOS.length + 1];
    private long totalNanos;

    void add(long nanos) {
        int i = 0;
        while (i < BOUNDS_NANOS.length && nanos > BOUNDS_NANOS[i]) {
            i++;
        }
        counts[i]++;
        totalNanos += nanos;
    }

    /** Upper bounds in nanoseconds, ascending and inclusive; a last bucket takes what is above. */
    public static long[] boundsNanos() {
        return BOUNDS_NANOS.clone();
    }

    /** Durations in one bucket, not cumulative; {@code index} up to the number of bounds. */
    public long count(int index) {
        return counts[index];
    }

    /** All durations counted. */
    public long count() {
        long sum = 0;
        for (long count : counts) {
            sum += count;
        }
        return sum;
    }

    public long totalNanos() {
        return totalNanos;
    }
}

package io.iolab.vmm.ledger;

import org.HdrHistogram.Histogram;

/**
 * Latencies in one direction: an HDR histogram of the measured part of a run, and buckets of all of it for a scrape. One writer;
 * recording allocates nothing.
 */
public final class LatencyRecorder {
    /** 100 s: anything longer counts as that. */
    private static final long HIGHEST_NANOS = 100_000_000_000L;

    private final Histogram histogram = new Histogram(1, HIGHEST_NANOS, 3);
    private final Buckets buckets = new Buckets();
    private volatile boolean measuring;

    public void record(long nanos) {
        buckets.add(nanos);
        if (measuring) {
            histogram.recordValue(Math.clamp(nanos, 1, HIGHEST_NANOS));
        }
    }

    /** The warm-up is over: from now on latencies go into the histogram as well. */
    public void startMeasuring() {
        measuring = true;
    }

    /** Latencies since {@link #startMeasuring}, in nanoseconds. */
    public Histogram histogram() {
        return histogram;
    }

    /** All latencies, warm-up included. */
    public Buckets buckets() {
        return buckets;
    }
}

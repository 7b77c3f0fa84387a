package io.iolab.vmm.ledger;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import org.HdrHistogram.Histogram;

/**
 * Everything counted about one guest. Plain arrays indexed by enum ordinals; the accessors that change them are called on hot
 * paths and allocate nothing.
 */
public final class GuestLedger {
    /** Upper bounds in nanoseconds of the buckets that latency and exit times are exported in. */
    private static final long[] BUCKET_BOUNDS_NANOS = {
        250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000
    };

    private static final int CAUSES = DropCause.values().length;

    private final String guest;
    private final Path path;
    private final ExitLedger exits = new ExitLedger();
    private final long[] frames = new long[2];
    private final long[] bytes = new long[2];
    private final long[] drops = new long[2 * CAUSES];
    private final long[] interrupts = new long[InterruptOutcome.values().length];
    private final long[] dmaRequests = new long[2 * DmaKind.values().length];
    private final long[] dmaBytes = new long[2 * DmaKind.values().length];
    private final long[] cpuPicos = new long[CpuShare.values().length];
    private final long[] latencyBuckets = new long[BUCKET_BOUNDS_NANOS.length + 1];
    private final long[] exitBuckets = new long[BUCKET_BOUNDS_NANOS.length + 1];
    /** 1 ns to 100 s at three significant digits. */
    private final Histogram latency = new Histogram(1, 100_000_000_000L, 3);

    private long kicksSent;
    private long kicksSuppressed;
    private long copiedBytes;
    private long latencyNanosTotal;
    private long haltedPicos;
    private boolean measuring;

    public GuestLedger(String guest, Path path) {
        this.guest = guest;
        this.path = path;
    }

    public String guest() {
        return guest;
    }

    public Path path() {
        return path;
    }

    public ExitLedger exits() {
        return exits;
    }

    /** A frame that the guest's program sent or received, without preamble and FCS. Writer: the vCPU. */
    public void frame(Direction direction, int length) {
        frames[direction.ordinal()]++;
        bytes[direction.ordinal()] += length;
    }

    public long frames(Direction direction) {
        return frames[direction.ordinal()];
    }

    public long bytes(Direction direction) {
        return bytes[direction.ordinal()];
    }

    /** Writer: whoever owns the place where the frame was lost; each place has its own cause. */
    public void drop(Direction direction, DropCause cause) {
        drops[direction.ordinal() * CAUSES + cause.ordinal()]++;
    }

    /** Sets a drop count that a device keeps itself. */
    public void drops(Direction direction, DropCause cause, long total) {
        drops[direction.ordinal() * CAUSES + cause.ordinal()] = total;
    }

    public long drops(Direction direction, DropCause cause) {
        return drops[direction.ordinal() * CAUSES + cause.ordinal()];
    }

    public void interrupt(InterruptOutcome outcome) {
        interrupts[outcome.ordinal()]++;
    }

    /** Sets a count that a device keeps itself. */
    public void interrupts(InterruptOutcome outcome, long total) {
        interrupts[outcome.ordinal()] = total;
    }

    public long interrupts(InterruptOutcome outcome) {
        return interrupts[outcome.ordinal()];
    }

    /** Sets the driver's own doorbell counts. Writer: the vCPU. */
    public void kicks(long sent, long suppressed) {
        kicksSent = sent;
        kicksSuppressed = suppressed;
    }

    /** Doorbells that reached the device: TDT writes, virtqueue notifications. */
    public long kicksSent() {
        return kicksSent;
    }

    public long kicksSuppressed() {
        return kicksSuppressed;
    }

    /** Bytes moved by a host processor between guest memory and host buffers. Writer: whoever runs the device. */
    public void copied(long count) {
        copiedBytes += count;
    }

    public long copiedBytes() {
        return copiedBytes;
    }

    /** A DMA request of the device. Writer: whoever runs the device. */
    public void dma(Access access, DmaKind kind, int length) {
        int cell = access.ordinal() * DmaKind.values().length + kind.ordinal();
        dmaRequests[cell]++;
        dmaBytes[cell] += length;
    }

    public long dmaRequests(Access access, DmaKind kind) {
        return dmaRequests[access.ordinal() * DmaKind.values().length + kind.ordinal()];
    }

    public long dmaBytes(Access access, DmaKind kind) {
        return dmaBytes[access.ordinal() * DmaKind.values().length + kind.ordinal()];
    }

    public void cpu(CpuShare share, long picos) {
        cpuPicos[share.ordinal()] += picos;
    }

    public long cpuPicos(CpuShare share) {
        return cpuPicos[share.ordinal()];
    }

    /** Time the vCPU slept in HLT; part of no CPU share. */
    public void halted(long picos) {
        haltedPicos += picos;
    }

    public long haltedPicos() {
        return haltedPicos;
    }

    /** From the sending program's call to the receiving program's return. Kept only after the warm-up. */
    public void latency(long nanos) {
        latencyBuckets[bucket(nanos)]++;
        latencyNanosTotal += nanos;
        if (measuring) {
            latency.recordValue(Math.clamp(nanos, 1, 100_000_000_000L));
        }
    }

    /** Counts an exit in its counter and in the distribution of exit times. Writer: the vCPU. */
    public void exit(ExitCounter counter, long picos) {
        counter.add(picos);
        exitBuckets[bucket(picos / 1000)]++;
    }

    private static int bucket(long nanos) {
        int i = 0;
        while (i < BUCKET_BOUNDS_NANOS.length && nanos > BUCKET_BOUNDS_NANOS[i]) {
            i++;
        }
        return i;
    }

    /** The warm-up is over: from now on latencies go into the histogram. */
    public void startMeasuring() {
        measuring = true;
    }

    /** Latencies since {@link #startMeasuring}, in nanoseconds. */
    public Histogram latencyHistogram() {
        return latency;
    }

    /** Sum of all latencies recorded, warm-up included. */
    public long latencyNanosTotal() {
        return latencyNanosTotal;
    }

    /** Bucket upper bounds, nanoseconds, ascending; a last bucket takes what is above. */
    public static long[] bucketBoundsNanos() {
        return BUCKET_BOUNDS_NANOS.clone();
    }

    /** Latencies per bucket (not cumulative), warm-up included. */
    public long latencyBucket(int index) {
        return latencyBuckets[index];
    }

    /** Exit times per bucket (not cumulative), warm-up included. */
    public long exitBucket(int index) {
        return exitBuckets[index];
    }
}

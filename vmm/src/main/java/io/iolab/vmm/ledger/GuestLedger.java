package io.iolab.vmm.ledger;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;

/**
 * Everything counted about one guest. Plain arrays indexed by enum ordinals; the accessors that change them are called on hot
 * paths and allocate nothing.
 */
public final class GuestLedger {
    private static final int CAUSES = DropCause.values().length;
    private static final int KINDS = DmaKind.values().length;

    private final String guest;
    private final Path path;
    private final ExitLedger exits = new ExitLedger();
    private final long[] frames = new long[2];
    private final long[] bytes = new long[2];
    private final long[] drops = new long[2 * CAUSES];
    private final long[] interrupts = new long[InterruptOutcome.values().length];
    private final long[] dmaRequests = new long[2 * KINDS];
    private final long[] dmaBytes = new long[2 * KINDS];
    private final long[] wakeups = new long[WakeCause.values().length];
    private final long[] cpuPicos = new long[CpuShare.values().length];
    private final Buckets exitTimes = new Buckets();
    private final LatencyRecorder[] latency = {new LatencyRecorder(), new LatencyRecorder()};
    private long kicksSent;
    private long kicksSuppressed;
    private long copiedBytes;
    private final WatchdogLog watchdog;
    private long haltedPicos;

    public GuestLedger(String guest, Path path) {
        this.guest = guest;
        this.path = path;
        watchdog = new WatchdogLog(guest, path);
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

    /** A sleeping thread that serves the device was woken. Writer: that thread. */
    public void wakeup(WakeCause cause) {
        wakeups[cause.ordinal()]++;
    }

    /** How often a sleeping thread was woken; hardware does not sleep, and a thread that polls does not either. */
    public long wakeups(WakeCause cause) {
        return wakeups[cause.ordinal()];
    }

    /** What watchdogs found. */
    public WatchdogLog watchdog() {
        return watchdog;
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
        int cell = access.ordinal() * KINDS + kind.ordinal();
        dmaRequests[cell]++;
        dmaBytes[cell] += length;
    }

    public long dmaRequests(Access access, DmaKind kind) {
        return dmaRequests[access.ordinal() * KINDS + kind.ordinal()];
    }

    public long dmaBytes(Access access, DmaKind kind) {
        return dmaBytes[access.ordinal() * KINDS + kind.ordinal()];
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

    /**
     * From the sending program's call to the receiving program's return, by the direction of the frame; a round trip counts as
     * received. Writer: for TX the peer, for RX the vCPU.
     */
    public LatencyRecorder latency(Direction direction) {
        return latency[direction.ordinal()];
    }

    /** Counts an exit in its counter and in the distribution of exit times. Writer: the vCPU. */
    public void exit(ExitCounter counter, long picos) {
        counter.add(picos);
        exitTimes.add(picos / 1000);
    }

    /** Times of all exits. */
    public Buckets exitTimes() {
        return exitTimes;
    }
}

package io.iolab.vmm.time;

import io.iolab.devices.time.Clock;

/**
 * Something that acts in time: a vCPU, an I/O worker, a NIC's engine, a switch, a traffic source. It has a local time that
 * only it advances, by what its work costs.
 */
public abstract class Actor implements Clock {
    /** No wake-up is planned: the actor waits for {@link #wake}. */
    public static final long NEVER = Long.MAX_VALUE;

    private final String name;
    /** Local time in virtual mode; in wall mode, when the actor last looked. */
    long nowPicos;
    /** When the next step is due; in wall mode only a hint. */
    long duePicos;

    /** The earliest time it was woken for since its last step began. */
    private long wokenPicos = NEVER;

    private TimeSource source = TimeSource.VIRTUAL;

    protected Actor(String name) {
        this.name = name;
    }

    public final String name() {
        return name;
    }

    /**
     * Does at most one burst of work and says when to be called again: by {@link #sleepUntil}, {@link #idle}, or by leaving
     * it as it is, which means at once. It may be called when there is nothing to do.
     *
     * @return whether anything was done
     */
    protected abstract boolean step();

    /** Local time, in picoseconds since the start of the run. */
    public final long nowPicos() {
        return source.now(this);
    }

    /** Local time, in whole nanoseconds. */
    @Override
    public final long nanos() {
        return nowPicos() / 1000;
    }

    /** Lets {@code picos} of work pass. In wall time the cost is spent as busy time only if the run asks for it. */
    public final void spend(long picos) {
        source.spend(this, picos);
    }

    /** A latency of the profile as this run lets it pass: all of it, or none where costs are not spent. */
    protected final long delay(long picos) {
        return source.delay(picos);
    }

    /** To be called again at {@code picos}, or earlier if somebody wakes it. */
    protected final void sleepUntil(long picos) {
        duePicos = Math.max(picos, nowPicos);
    }

    /** To be called again only when somebody wakes it. */
    protected final void idle() {
        duePicos = NEVER;
    }

    /** Has the actor step no later than {@code picos} (its own time, if that is later already). */
    public final void wake(long picos) {
        source.wake(this, picos);
    }

    /** Whether no step is planned. */
    public final boolean isIdle() {
        return duePicos == NEVER;
    }

    final void join(TimeSource source) {
        this.source = source;
    }

    final void wakeVirtual(long picos) {
        wokenPicos = Math.min(wokenPicos, picos);
        if (picos < duePicos) {
            duePicos = Math.max(picos, nowPicos);
        }
    }

    /** A step in virtual time. What its own work wakes it for outlives the plan that it makes at its end. */
    final void stepVirtual() {
        nowPicos = Math.max(nowPicos, duePicos);
        duePicos = nowPicos;
        wokenPicos = NEVER;
        step();
        duePicos = Math.max(Math.min(duePicos, wokenPicos), nowPicos);
    }

    @Override
    public final String toString() {
        return name;
    }
}

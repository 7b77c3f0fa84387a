package io.iolab.vmm.time;

/** A way to run actors: {@link Timeline} in virtual time, {@link WallThreads} in wall time. */
public interface Run extends AutoCloseable {

    /**
     * Adds an actor to a group. Actors of one group never run at the same time and may call each other's objects; between
     * groups only rings and what is documented as thread-safe may be used. In virtual time groups make no difference.
     */
    void add(String group, Actor actor);

    /**
     * Runs until every actor has passed {@code picos} or is idle for good.
     *
     * @throws IllegalStateException if an actor failed; its exception is the cause
     */
    void until(long picos);

    /** The time the run has reached, in picoseconds. */
    long nowPicos();

    /** Stops threads, if there are any. */
    @Override
    void close();
}

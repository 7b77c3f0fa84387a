package io.iolab.vmm.guest;

/** A program as a state machine: it never blocks, and each step is one burst. */
public interface Program {

    /** Called once, before the first step. */
    void start(Endpoint endpoint);

    /**
     * Does one burst.
     *
     * @return false when there is nothing to do before a frame arrives or {@link #nextWakePicos} comes
     */
    boolean step();

    /** A frame for this program; the bytes are valid during the call. */
    void frame(byte[] frame, int offset, int length);

    /** When it wants to step again, in picoseconds; {@link Long#MAX_VALUE} when only a frame can give it work. */
    long nextWakePicos();

    /** Whether it has sent and received all it was asked to. A program without a count is never done. */
    boolean done();
}

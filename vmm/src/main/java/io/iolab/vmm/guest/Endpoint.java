package io.iolab.vmm.guest;

/** Where a program meets the network: a guest's stack and driver, or a peer's bare link. */
public interface Endpoint {

    /** The program's time, in picoseconds. */
    long nowPicos();

    /** The station address to send from. */
    byte[] macAddress();

    /**
     * Hands over a frame; it leaves at the next {@link #flush} at the latest. The bytes are copied.
     *
     * @return false when there is no room now: step again later
     */
    boolean send(byte[] frame, int offset, int length);

    /** Sends what was handed over: one doorbell, or none if the device asked for none. */
    void flush();

    /** Notes the latency of something that ends now, begun at {@code sincePicos}. */
    void latency(long sincePicos);

    /** A frame arrived whose payload was not what was sent. */
    void corrupt();
}

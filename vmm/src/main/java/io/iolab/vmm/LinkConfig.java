package io.iolab.vmm;

/**
 * Every cable of a lab.
 *
 * @param bitsPerSecond 10^6 to 10^12
 * @param delayPicos propagation delay, one way
 * @param queueFrames frames that may wait to enter the wire, a power of two
 */
public record LinkConfig(long bitsPerSecond, long delayPicos, int queueFrames) {
    /** Gigabit Ethernet, what an 82574L has, over a few metres. */
    public static final LinkConfig GIGABIT = new LinkConfig(1_000_000_000L, 500_000L, 256);
}

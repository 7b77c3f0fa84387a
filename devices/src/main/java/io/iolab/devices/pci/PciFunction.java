package io.iolab.devices.pci;

/**
 * A PCI function that stands alone. It is built with four ports (DMA, interrupt pin, frames, clock) and reaches nothing
 * else; the same object serves a guest of ours, another VMM over a socket, and a unit test.
 *
 * <p>Register writes only mark work; {@link #poll} does it. Whoever owns the function decides whose time that is: an
 * emulated device is polled inside the exit that rang its doorbell, a physical one by an engine of its own.
 *
 * <p>Threading: one thread owns a function and makes every call on it; whoever lives on another thread hands over to it.
 */
public interface PciFunction {

    ConfigSpace config();

    /**
     * Reads a BAR window. The caller has checked that the command register enables it and that the access lies inside.
     *
     * @param bar 0 to 5; for a 64-bit BAR the lower number
     * @return zero-extended
     */
    long readBar(int bar, long offset, int width);

    void writeBar(int bar, long offset, int width, long value);

    /**
     * Does pending work: ring processing after a doorbell, expired timers.
     *
     * @param budget the most frames to move, at least 1
     * @return frames moved; a return of {@code budget} may mean that more is pending
     */
    int poll(int budget);

    /** When {@link #poll} must run at the latest, in nanoseconds of the injected clock; {@link Long#MAX_VALUE} for never. */
    long nextDeadlineNanos();

    /** Whether {@link #poll} would find work now, apart from timers. */
    boolean workPending();

    /** Conventional reset (RST#, D3hot to D0): configuration space and device state return to power-on values. */
    void reset();

    /**
     * The specification's name of the register at an offset ({@code TDT}, {@code device_status}), for exit statistics.
     * Never null, never "unknown": an offset without a register gives {@code "unimplemented"}.
     */
    String registerName(int bar, long offset);
}

package io.iolab.vmm.rings;

/**
 * What passed in a measured time.
 *
 * @param buffers offered by the driver, used by the device and taken back
 * @param nanos wall time
 * @param kicks from the driver to the device
 * @param interrupts from the device to the driver
 */
public record ExchangeFigures(long buffers, long nanos, long kicks, long interrupts) {

    public double buffersPerSecond() {
        return buffers * 1e9 / nanos;
    }

    public double nanosPerBuffer() {
        return (double) nanos / buffers;
    }
}

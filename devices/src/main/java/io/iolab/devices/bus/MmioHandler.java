package io.iolab.devices.bus;

/** A register window. Offsets are within the window; widths are 1, 2, 4 or 8 bytes; an access never crosses the window. */
public interface MmioHandler {

    /** The value, zero-extended; only the low {@code width} bytes are set. */
    long read(long offset, int width);

    /** @param value only the low {@code width} bytes count */
    void write(long offset, int width, long value);
}

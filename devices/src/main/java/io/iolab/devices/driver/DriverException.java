package io.iolab.devices.driver;

/**
 * The device is not what it should be, or does not do what its specification demands. The message names the register, what
 * it held and what was expected. Thrown while a driver probes and opens, never in the data path.
 */
public final class DriverException extends RuntimeException {
    public DriverException(String message) {
        super(message);
    }

    /** A register that held something else than the specification promises. */
    public static DriverException register(String name, long actual, String expected) {
        return new DriverException(name + " is 0x" + Long.toHexString(actual) + ", expected " + expected);
    }
}

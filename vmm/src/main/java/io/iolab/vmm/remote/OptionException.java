package io.iolab.vmm.remote;

/** A command line that makes no sense; the message says why, for people. */
public final class OptionException extends Exception {
    public OptionException(String message) {
        super(message);
    }
}

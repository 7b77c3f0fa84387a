package io.iolab.vmm.memory;

/** The host has no frame left for what was asked: a machine that was planned too large, never a guest's doing. */
public final class HostMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    HostMemoryException(String message) {
        super(message);
    }
}

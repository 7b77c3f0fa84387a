package io.iolab.devices.memory;

/** The direction of a memory access; it travels with the request so that a page walk can check permission. */
public enum Access {
    READ,
    WRITE
}

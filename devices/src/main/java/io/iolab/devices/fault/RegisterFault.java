package io.iolab.devices.fault;

/** Register accesses that hardware ignores. Reads give 0, writes change nothing; each is counted. */
public enum RegisterFault implements GuestFault {
    /** No register at this offset. */
    UNKNOWN_OFFSET,
    /** The register exists but does not take an access of this width or alignment. */
    WRONG_WIDTH,
    /** A write to a read-only register. */
    READ_ONLY,
    /** A value or transition that the specification forbids in the present state. */
    ILLEGAL_STATE
}

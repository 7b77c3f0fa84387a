package io.iolab.devices.fault;

/** What can be wrong with a descriptor ring that a guest wrote. */
public enum RingFault implements GuestFault {
    /** The available index ran ahead by more than the ring's size. */
    INDEX_JUMP,
    /** A head or next index is not below the ring's size. */
    INDEX_OUT_OF_RANGE,
    /** A chain is longer than the ring, so it loops. */
    CHAIN_LOOP,
    /** A readable descriptor after a writable one. */
    READABLE_AFTER_WRITABLE,
    /** An indirect table inside an indirect table, together with NEXT, or without the feature. */
    INDIRECT_MISUSED,
    /** An indirect table whose length is 0 or not a multiple of 16. */
    INDIRECT_LENGTH,
    /** A chain with no buffer where one is needed, or too little room for what must be written. */
    TOO_SHORT,
    /** The sum of the lengths in a chain passes 2^32, or a buffer wraps around the address space. */
    TOO_LONG,
    /** A ring or buffer address could not be reached by DMA. */
    UNREACHABLE,
    /** A descriptor of a type that the device does not know, or with the id of a buffer that is in use. */
    BAD_DESCRIPTOR
}

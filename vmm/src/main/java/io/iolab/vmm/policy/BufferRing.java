package io.iolab.vmm.policy;

/** Where a driver takes the buffer of its next packet from. */
interface BufferRing {
    /** The address for the device of a buffer that is mapped for one packet more. */
    long next();

    /** Unmaps everything. */
    void drain();
}

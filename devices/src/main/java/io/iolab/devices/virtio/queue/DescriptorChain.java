package io.iolab.devices.virtio.queue;

import io.iolab.devices.fault.RingFault;
import org.jspecify.annotations.Nullable;

/**
 * A cursor over the buffers of the chain that {@link Virtqueue#take} took last. It is reused: taking another chain moves it
 * there. Zero-length buffers are handed out like others.
 *
 * <p>Checked on the way: indices lie in their table; no more descriptors than the queue has; readable before writable;
 * indirect tables only if negotiated, not nested, not together with NEXT, of a length that is a positive multiple of 16; no
 * buffer wraps the address space; all lengths together stay within 2^32 (virtio 1.2 sections 2.7.5 and 2.7.7).
 */
public interface DescriptorChain {

    /** What {@link #next} found. */
    enum Step {
        /** Another buffer: {@link #iova}, {@link #length} and {@link #writable} describe it. */
        DESCRIPTOR,
        /** The chain is complete and was well formed. */
        END,
        /** The chain is malformed or out of reach: see {@link #fault}. The queue has failed with it. */
        FAULT
    }

    Step next();

    /** Where the buffer starts. */
    long iova();

    /** In bytes, 0 to 2^32 - 1. */
    long length();

    /** Whether the device may write the buffer (and only write it), or may read it (and only read it). */
    boolean writable();

    /** Why the last step was {@link Step#FAULT}; null before. */
    @Nullable
    RingFault fault();
}

package io.iolab.devices.virtio.queue;

import io.iolab.devices.fault.RingFault;
import org.jspecify.annotations.Nullable;

/**
 * The device's end of a virtqueue, split or packed. Chains are taken in the order in which the driver offered them; each is
 * later completed, or given back while it is among the ones taken last. Completions become visible to the driver together,
 * at {@link #publish}.
 *
 * <p>A fault is final: from then on {@link #take} answers FAULT. What was completed before can still be published. The owner
 * reports the fault as DEVICE_NEEDS_RESET (virtio 1.2 section 2.1.2).
 */
public interface Virtqueue {

    /** What {@link #take} found. */
    enum Take {
        CHAIN,
        EMPTY,
        FAULT
    }

    /** Takes the next available chain and places {@link #chain} before its first buffer. */
    Take take();

    /** The cursor over the chain taken last. */
    DescriptorChain chain();

    /** Names the chain taken last, for {@link #complete}: head index (split) or buffer id (packed). */
    int token();

    /** Un-takes the {@code count} chains taken last, none of them completed; {@link #take} will find them again. */
    void giveBack(int count);

    /**
     * Hands a chain back to the driver at the next {@link #publish}.
     *
     * @param written bytes written from the start of its writable part, 0 to 2^32 - 1 (virtio 1.2 section 2.7.8.2)
     */
    void complete(int token, long written);

    /** Shows all completions since the last call to the driver at once. Does nothing if there are none. */
    void publish();

    /**
     * Whether the driver wants an interrupt for what was published since this was last asked: once a burst is enough. False,
     * and no memory is touched, if nothing was.
     */
    boolean interruptWanted();

    /** Whether anything was published since {@link #interruptWanted} was last asked. */
    boolean interruptUndecided();

    /** Asks the driver not to kick. It may still do so. */
    void disableKicks();

    /**
     * Asks the driver to kick for the next chain, then looks once more.
     *
     * @return whether chains are available already, for which no kick may come (virtio 1.2 section 2.7.10)
     */
    boolean enableKicks();

    /** The device cannot use the chain taken last, for a reason that the queue does not know. */
    void fail(RingFault cause);

    /** The number of descriptors: the most chains that can be taken and not completed. */
    int size();

    /** Chains taken and not yet completed. */
    int outstanding();

    /** What went wrong; null while the queue works. */
    @Nullable
    RingFault fault();

    /** Chains completed so far. */
    long chains();

    /** Descriptors walked so far, those that refer to indirect tables included. */
    long descriptors();

    /**
     * Chains that were seen to be available and not taken: {@link #take} gives these without another look at the ring, which would take
     * the cache line from a driver that is about to write it. Descriptors, where a chain has several, in a packed ring.
     */
    int ahead();
}

package io.iolab.devices.dma;

import io.iolab.devices.fault.DmaFault;

/**
 * A device's way to memory. Addresses are I/O virtual ({@code iova}): what the device's driver programmed, translated by
 * whatever sits behind the port.
 *
 * <p>A request may cross pages and is translated page by page, in ascending order. On a fault no byte of the faulting page
 * moves and nothing after it does; pages before it may have moved, as on a bus that splits the request. No method throws
 * for any address or length that a guest can produce; {@code length} is never negative and fits the array.
 *
 * <p>Writes become visible in the order in which they were issued, and an interrupt message after all of them (PCI
 * ordering: posted writes do not pass posted writes).
 */
public interface DmaPort {

    /** Copies from memory into {@code target}. */
    DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind);

    /** Copies from {@code source} into memory. */
    DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind);

    /**
     * Loads a 16-bit ring field with acquire order.
     *
     * @param iova 2-aligned; an unaligned address is {@link DmaFault#BEYOND_MEMORY}
     * @return 0 to 65535, or {@link DmaFault#asResult()}
     */
    int loadShortAcquire(long iova, DmaKind kind);

    /** Stores a 16-bit ring field with release order; 2-aligned as above. */
    DmaFault storeShortRelease(long iova, int value, DmaKind kind);

    /**
     * Performs earlier stores before later loads, as release and acquire do not: between a ring index and the other side's
     * event suppression (virtio 1.2 sections 2.7.13.4.1 and 2.8.21.3.1).
     */
    default void storeLoadFence() {
        java.lang.invoke.VarHandle.fullFence();
    }
}

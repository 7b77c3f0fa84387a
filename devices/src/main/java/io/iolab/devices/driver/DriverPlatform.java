package io.iolab.devices.driver;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.time.Clock;

/** What an operating system offers to a driver. */
public interface DriverPlatform {

    CpuPort cpu();

    /** RAM at physical addresses of this processor. */
    Memory ram();

    Clock clock();

    /**
     * Physically contiguous zeroed RAM that a device may reach, never freed.
     *
     * @param alignment a power of two
     * @return the processor's physical address
     */
    long allocate(long bytes, long alignment);

    /** The address a device must use for RAM at {@code pa} (identity unless there is an IOMMU that this system drives). */
    long busAddress(long pa);

    /**
     * The address a device must use for a range of RAM that it shares with the driver for good: rings, tables.
     *
     * @param pa as {@link #allocate} returned it
     */
    default long mapShared(long pa, long bytes) {
        return busAddress(pa);
    }

    /**
     * Lets a device reach a buffer for one transfer. The driver leaves the buffer alone until {@link #unmapTransfer}.
     *
     * @param fromDevice whether the device writes it; if not it reads it
     * @return the address that the device must use
     */
    default long mapTransfer(long pa, int bytes, boolean fromDevice) {
        return busAddress(pa);
    }

    /**
     * Ends a transfer: what the device wrote is in the buffer, and the address must not be used again.
     *
     * @param busAddress as {@link #mapTransfer} returned it
     * @param written bytes from the start that the device may have written
     */
    default void unmapTransfer(long busAddress, int written) {}

    /** Claims a message interrupt; the driver programs {@link MessageTarget} into its MSI or MSI-X capability. */
    MessageTarget allocateMessage(InterruptHandler handler);

    /**
     * Registers for a level-triggered line.
     *
     * @param line what the platform wrote into the Interrupt Line register
     */
    void attachLine(int line, InterruptHandler handler);

    /** Burns processor time, as udelay does: during set-up only. */
    void delayNanos(long nanos);

    /** An MSI address and data pair. */
    record MessageTarget(long address, int data) {}
}

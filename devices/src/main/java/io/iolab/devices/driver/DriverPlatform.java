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

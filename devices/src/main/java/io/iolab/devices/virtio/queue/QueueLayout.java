package io.iolab.devices.virtio.queue;

/**
 * Where a driver placed the areas of a virtqueue, as it wrote queue_desc, queue_driver and queue_device.
 *
 * @param descriptorIova descriptor table, or the packed descriptor ring
 * @param driverIova available ring, or the driver's event suppression
 * @param deviceIova used ring, or the device's event suppression
 */
public record QueueLayout(long descriptorIova, long driverIova, long deviceIova) {

    /** Whether a split queue can be laid out so: aligned to 16, 2 and 4 bytes, and not wrapping (virtio 1.2 section 2.7). */
    public boolean fitsSplit(int size) {
        return fits(descriptorIova, 16, 16L * size)
                && fits(driverIova, 2, 6 + 2L * size)
                && fits(deviceIova, 4, 6 + 8L * size);
    }

    /** Whether a packed queue can be laid out so: aligned to 16, 4 and 4 bytes, and not wrapping (virtio 1.2 section 2.8.10.1). */
    public boolean fitsPacked(int size) {
        return fits(descriptorIova, 16, 16L * size) && fits(driverIova, 4, 4) && fits(deviceIova, 4, 4);
    }

    private static boolean fits(long iova, int alignment, long length) {
        return (iova & alignment - 1) == 0 && !io.iolab.devices.memory.AddressRange.wraps(iova, length);
    }
}

package io.iolab.devices.virtio;

import io.iolab.devices.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/** What a kind of virtio device (net, ...) is to its transport. Called on the thread that owns the function. */
public interface DeviceType {

    /** All feature bits offered, transport and ring bits included. Constant. */
    long offeredFeatures();

    /** Whether a subset of the offered features satisfies the device type's own dependencies. */
    boolean accepts(long features);

    /** Number of virtqueues. Constant. */
    int queues();

    /** The size offered for a queue, a power of two up to 32768. Constant. */
    int queueSize(int queue);

    /** Entries of the MSI-X table, 1 to 128; one for each queue and the configuration unless there is a reason. Constant. */
    default int vectors() {
        return queues() + 1;
    }

    /** Bytes in the device configuration structure. Constant. */
    int configBytes();

    /** One byte of the device configuration, 0 to 255; {@code offset} below {@link #configBytes}. */
    int configByte(int offset);

    /** The specification's name of the device configuration field at an offset below {@link #configBytes}. */
    String configField(int offset);

    /**
     * The driver set DRIVER_OK.
     *
     * @param features as negotiated
     * @param queues by index; null where the driver enabled none
     */
    void start(long features, @Nullable Virtqueue[] queues);

    /** Reset, NEEDS_RESET or FAILED: the queues given to {@link #start} must not be used any more. May come repeatedly. */
    void stop();

    /**
     * The driver reset a queue of the running device (virtio 1.2 section 2.6): the queue given before must not be used any
     * more, and nothing that was published through it is worth an interrupt now. May come for a queue without one.
     */
    void stopQueue(int queue);

    /** The driver enabled a queue again after {@link #stopQueue}, while the device runs. */
    void startQueue(int queue, Virtqueue restarted);

    /** A kick for an existing queue while the device runs. It only marks work. */
    void kicked(int queue);
}

package io.iolab.devices.driver;

import java.util.List;

/**
 * A network driver in the shape of Linux's: transmit queues frames, a doorbell publishes them, interrupts only schedule
 * {@link #poll}, and poll reaps completions, delivers frames and re-enables interrupts when it runs dry.
 */
public interface NetDriver {

    /** As Linux calls the driver: {@code e1000}, {@code e1000e}, {@code virtio_net}. */
    String name();

    /** Resets the device, sets up rings and interrupts, brings the link up. Throws if the device is not what it should be. */
    void open();

    /** The station address read from the device; valid after {@link #open}. */
    byte[] macAddress();

    /**
     * Queues a frame: copies it into a transmit buffer and fills a descriptor, without telling the device.
     *
     * @return false when the ring is full: flush, poll once an interrupt says that there is room, then try again
     */
    boolean queue(byte[] frame, int offset, int length);

    /** Publishes everything queued: the doorbell (TDT write, virtqueue kick), or nothing if the device asked for none. */
    void flush();

    /**
     * Reaps finished transmissions and delivers at most {@code budget} received frames. When fewer than {@code budget} were
     * found, interrupts are on again on return, with the re-check that the device's rules demand.
     *
     * @return received frames; equal to {@code budget} means: call again
     */
    int poll(int budget, FrameReceiver receiver);

    /** Free transmit slots as the driver knows them (without reaping). */
    int transmitSlots();

    /** Transmissions not yet seen to complete. */
    int transmitsInFlight();

    /**
     * Looks for a transmit hang: descriptors outstanding and no progress since the previous call. It reads RAM only while there
     * is progress, and changes nothing.
     *
     * @return true if the unit hangs, for each call that finds it so
     */
    boolean transmitHung();

    /**
     * Looks for a receive stall: frames are in the ring, and none was taken out of it since the previous call. Reads RAM only and
     * changes nothing.
     *
     * @return true if reception stalls, for each call that finds it so
     */
    boolean receiveStalled();

    /** What the last look that found something logs, a line each, as Linux words it where it has words; empty before. */
    List<String> report();

    /** Received frames thrown away for an error bit, or because their length made no sense. */
    long receiveErrors();

    /**
     * Doorbells rung since open: TDT writes of an e1000 (RDT only returns buffers and is not counted), notifications of both
     * queues of virtio.
     */
    long doorbells();

    /** Doorbells saved because the device had suppressed them. */
    long doorbellsSuppressed();
}

package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import java.util.Arrays;

/**
 * A driver that does nothing but pass buffers through one virtqueue: what is measured, and examined for lost wake-ups, is the
 * ring and nothing around it. Each buffer is one part, and its bytes are
 * never touched.
 *
 * <p>Threading: the driver's processor; the device may run on another.
 */
public final class RingDriver {
    private final DriverQueue queue;
    private final long buffersBus;
    private final int bufferLength;
    private final boolean writable;

    /**
     * Tokens, around: from {@link #oldest} on the free ones, in the order in which they came back. So buffers that come back in order
     * stay with their descriptors.
     */
    private final int[] tokens;

    private int oldest;
    private int free;

    /**
     * @param size descriptors
     * @param features as negotiated: they choose the ring's format and how events are suppressed
     * @param bufferLength bytes in each of {@code size} buffers that lie one after the other at {@code buffersBus}
     * @param writable whether the device writes them, or else reads them
     */
    public RingDriver(
            DriverPlatform platform, int size, long features, long buffersBus, int bufferLength, boolean writable) {
        this.queue = DriverQueue.create(platform, 0, size, features, 0);
        this.buffersBus = buffersBus;
        this.bufferLength = bufferLength;
        this.writable = writable;
        queue.notifyAt(0, 0);
        tokens = new int[size];
        Arrays.setAll(tokens, token -> token);
        free = size;
    }

    /** For queue_desc. */
    public long descriptorsBus() {
        return queue.descriptorsBus();
    }

    /** For queue_driver. */
    public long driverBus() {
        return queue.driverBus();
    }

    /** For queue_device. */
    public long deviceBus() {
        return queue.deviceBus();
    }

    /** Buffers that can be offered. */
    public int free() {
        return free;
    }

    /** Buffers that the device was shown and that were not taken back. */
    public int inFlight() {
        return tokens.length - free;
    }

    /** Buffers taken back so far. */
    public long reaped() {
        return queue.reaped();
    }

    /** Whether a buffer came back that the device did not have; nothing is taken back from there on. */
    public boolean sawForeignBuffer() {
        return queue.sawForeignBuffer();
    }

    /** Kicks sent. */
    public long kicks() {
        return queue.kicks();
    }

    /** Times that something was published and the device had asked not to be kicked. */
    public long suppressedKicks() {
        return queue.suppressedKicks();
    }

    /** Shows the device {@code count} more buffers at once, at most {@link #free}, and kicks it if it wants that. */
    public void offer(int count) {
        add(count);
        queue.publish();
    }

    /** The same to a device that polls, and so needs no kick: whether it wants one is not looked at. */
    public void offerWithoutKick(int count) {
        add(count);
        queue.publishWithoutKick();
    }

    private void add(int count) {
        int first = Math.min(count, tokens.length - oldest);
        queue.add(tokens, oldest, first, buffersBus, bufferLength, writable);
        if (count > first) {
            queue.add(tokens, 0, count - first, buffersBus, bufferLength, writable);
        }
        oldest = around(oldest + count);
        free -= count;
    }

    private int around(int place) {
        return place < tokens.length ? place : place - tokens.length;
    }

    /** Takes back what the device returned, at most {@code limit} buffers, and never more than {@link #inFlight}. @return how many */
    public int reap(int limit) {
        int at = around(oldest + free);
        int room = Math.min(limit, tokens.length - at);
        int count = queue.consume(tokens, at, room);
        if (count == room && count < limit) {
            count += queue.consume(tokens, 0, limit - count);
        }
        free += count;
        return count;
    }

    /** Asks for no interrupts; one that is under way may still come. */
    public void silenceInterrupts() {
        queue.silenceInterrupts();
    }

    /**
     * Asks for an interrupt once more than {@code buffers} have been returned.
     *
     * @return false if it may never come, since the device has gone on meanwhile: reap again
     */
    public boolean armInterrupt(int buffers) {
        return queue.armInterrupt(buffers);
    }
}

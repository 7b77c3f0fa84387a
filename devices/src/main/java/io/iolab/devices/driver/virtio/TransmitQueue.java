package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.virtio.VirtioOptions.HeaderPlacement;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import java.util.Arrays;

/**
 * A transmit queue. A slot is a buffer, and room for it in the ring. Finished slots are taken back when the next frame is queued, without interrupts; an interrupt is asked for only when no slot is left, and then for
 * when three quarters are back, so that the queue does not stop and start for each.
 */
final class TransmitQueue {
    static final int HEADER = 12;
    static final int BUFFER_SIZE = 2048;
    /** The longest frame. */
    static final int FRAME_ROOM = BUFFER_SIZE - HEADER;

    /** Where the header is apart from the frame. */
    static final int PARTS = 2;

    private final DriverQueue queue;
    private final Memory ram;
    private final boolean headerApart;
    private final int slots;
    private final long buffersPa;
    private final long[] buffersBus;
    private final int[] freeSlots;
    private final BufferParts parts = new BufferParts();
    private int free;
    private boolean armed;

    TransmitQueue(DriverPlatform platform, DriverQueue queue, HeaderPlacement placement) {
        this.queue = queue;
        this.ram = platform.ram();
        headerApart = placement == HeaderPlacement.SEPARATE;
        slots = queue.size() / queue.descriptorsFor(headerApart ? PARTS : 1);
        buffersPa = platform.allocate((long) slots * BUFFER_SIZE, AddressRange.PAGE_SIZE);
        buffersBus = new long[slots];
        Arrays.setAll(buffersBus, slot -> platform.busAddress(bufferPa(slot)));
        freeSlots = new int[slots];
        reset();
    }

    /** No frame is with the device: at the start, and after a reset of the queue. */
    void reset() {
        free = 0;
        armed = false;
        // Filled from the top, so that slots are first used in ascending order.
        for (int slot = slots - 1; slot >= 0; slot--) {
            freeSlots[free++] = slot;
        }
        queue.silenceInterrupts();
    }

    private long bufferPa(int slot) {
        return buffersPa + (long) slot * BUFFER_SIZE;
    }

    int free() {
        return free;
    }

    int inFlight() {
        return slots - free;
    }

    /** There must be a free slot. The header stays as allocated, all zero: no offload asked for, num_buffers 0 (5.1.6.2). */
    void put(byte[] frame, int offset, int length) {
        int slot = freeSlots[--free];
        ram.write(bufferPa(slot) + HEADER, frame, offset, length);
        long bus = buffersBus[slot];
        if (headerApart) {
            queue.add(slot, parts.clear().read(bus, HEADER).read(bus + HEADER, length));
        } else {
            queue.add(slot, bus, HEADER + length, false);
        }
    }

    /** @return false if the device returned what it does not have */
    boolean reap() {
        while (queue.hasUsed()) {
            int slot = queue.usedToken();
            if (slot == DriverQueue.NO_BUFFER) {
                return false;
            }
            queue.consume();
            freeSlots[free++] = slot;
        }
        // The event index stays far ahead of what the device returns, or moves there now that there is room again.
        if (!armed || free > 0) {
            armed = false;
            queue.silenceInterrupts();
        }
        return true;
    }

    /**
     * To be called when no slot is free: asks for an interrupt.
     *
     * @return false if slots have come back meanwhile: reap again
     */
    boolean arm() {
        armed = true;
        return queue.armInterrupt(inFlight() * 3 / 4);
    }
}

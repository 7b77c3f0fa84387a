package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.virtio.VirtioOptions.HeaderPlacement;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/**
 * transmitq1. A slot is a chain with its buffer, described once: only the length changes. Finished slots are taken back
 * when the next frame is queued, without interrupts; an interrupt is asked for only when no slot is left, and then for
 * when three quarters are back, so that the queue does not stop and start for each.
 */
final class TransmitQueue {
    static final int HEADER = 12;
    static final int BUFFER_SIZE = 2048;
    /** The longest frame. */
    static final int FRAME_ROOM = BUFFER_SIZE - HEADER;

    private static final int TABLE_SIZE = 2 * SplitQueue.DESCRIPTOR_SIZE;

    /** How a slot's header and frame are described. */
    private enum Layout {
        ONE_DESCRIPTOR,
        CHAIN,
        INDIRECT_TABLE
    }

    private final SplitQueue queue;
    private final Memory ram;
    private final Layout layout;
    private final int slots;
    private final long buffersPa;
    private final long tablesPa;
    private final int[] freeSlots;
    private final boolean[] busy;
    private int free;
    private boolean armed;

    TransmitQueue(DriverPlatform platform, SplitQueue queue, HeaderPlacement placement, boolean indirect) {
        this.queue = queue;
        this.ram = platform.ram();
        layout = placement == HeaderPlacement.IN_FRONT
                ? Layout.ONE_DESCRIPTOR
                : indirect ? Layout.INDIRECT_TABLE : Layout.CHAIN;
        slots = layout == Layout.CHAIN ? queue.size() / 2 : queue.size();
        buffersPa = platform.allocate((long) slots * BUFFER_SIZE, AddressRange.PAGE_SIZE);
        tablesPa = layout == Layout.INDIRECT_TABLE
                ? platform.allocate((long) slots * TABLE_SIZE, AddressRange.PAGE_SIZE)
                : 0;
        freeSlots = new int[slots];
        busy = new boolean[slots];
        // Filled from the top, so that slots are first used in ascending order.
        for (int slot = slots - 1; slot >= 0; slot--) {
            freeSlots[free++] = slot;
            describe(platform, slot);
        }
        queue.silenceInterrupts();
    }

    private void describe(DriverPlatform platform, int slot) {
        long bus = platform.busAddress(bufferPa(slot));
        switch (layout) {
            case ONE_DESCRIPTOR -> queue.describe(slot, bus, 0, 0, 0);
            case CHAIN -> {
                queue.describe(2 * slot, bus, HEADER, SplitQueue.NEXT, 2 * slot + 1);
                queue.describe(2 * slot + 1, bus + HEADER, 0, 0, 0);
            }
            case INDIRECT_TABLE -> {
                long table = tablePa(slot);
                SplitQueue.write(ram, table, bus, HEADER, SplitQueue.NEXT, 1);
                SplitQueue.write(ram, table + SplitQueue.DESCRIPTOR_SIZE, bus + HEADER, 0, 0, 0);
                queue.describe(slot, platform.busAddress(table), TABLE_SIZE, SplitQueue.INDIRECT, 0);
            }
        }
    }

    private long bufferPa(int slot) {
        return buffersPa + (long) slot * BUFFER_SIZE;
    }

    private long tablePa(int slot) {
        return tablesPa + (long) slot * TABLE_SIZE;
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
        busy[slot] = true;
        ram.write(bufferPa(slot) + HEADER, frame, offset, length);
        switch (layout) {
            case ONE_DESCRIPTOR -> queue.setLength(slot, HEADER + length);
            case CHAIN -> queue.setLength(2 * slot + 1, length);
            case INDIRECT_TABLE -> ram.writeInt(tablePa(slot) + SplitQueue.DESCRIPTOR_SIZE + 8, length);
        }
        queue.makeAvailable(layout == Layout.CHAIN ? 2 * slot : slot);
    }

    /** @return false if the device returned what it does not have */
    boolean reap() {
        for (int pending = queue.pending(); pending > 0; pending--) {
            int id = queue.usedId();
            int slot = layout == Layout.CHAIN && (id & 1) == 0 ? id >>> 1 : id;
            if (slot < 0 || slot >= slots || !busy[slot]) {
                return false;
            }
            queue.consume();
            busy[slot] = false;
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

package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.driver.virtio.VirtioOptions.HeaderPlacement;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.net.PacketOffload;
import java.util.Arrays;

/**
 * A transmit queue. A slot is a buffer, and room for it in the ring; a packet that is longer than one takes several, under the
 * first one's number. Finished slots are taken back when the next frame is queued, without interrupts; an interrupt is asked
 * for only when no slot is left, and then for when three quarters are back, so that the queue does not stop and start for
 * each.
 */
final class TransmitQueue {
    static final int BUFFER_SIZE = 2048;
    /** The longest frame that takes one slot, whatever the header's size. */
    static final int FRAME_ROOM = BUFFER_SIZE - PacketHeader.BYTES;

    /** The longest frame that takes several: what the device passes on as it is. */
    static final int LONGEST_FRAME = 16_384;

    /** The longest packet that is sent to be cut: an Ethernet header, a tag, and what IPv4 can say. */
    static final int LONGEST_PACKET = 65_553;

    /** Where the header is apart from the frame. */
    private static final int PARTS = 2;

    /** A long packet's buffers, and its header apart from them. */
    private static final int PARTS_OF_LONGEST = 2 + (LONGEST_PACKET + PacketHeader.HASH_BYTES) / BUFFER_SIZE;

    private static final int NONE = -1;

    private final DriverQueue queue;
    private final Memory ram;
    private final boolean headerApart;
    private final int headerBytes;
    private final PacketHeader header;
    private final int slots;
    private final long buffersPa;
    private final long[] buffersBus;
    private final int[] freeSlots;
    /** The next slot of the packet that a slot belongs to. */
    private final int[] nextSlots;

    /** Slots whose header is not all zero. */
    private final boolean[] marked;

    private final BufferParts parts = new BufferParts();
    private int free;
    /** Packets in slots that are not free. */
    private int packets;

    private boolean armed;
    /** How many free slots the interrupt asked for is about. */
    private int awaited;

    TransmitQueue(DriverPlatform platform, DriverQueue queue, HeaderPlacement placement, long features) {
        this.queue = queue;
        header = new PacketHeader(features);
        headerBytes = header.bytes();
        this.ram = platform.ram();
        headerApart = placement == HeaderPlacement.SEPARATE;
        slots = queue.size() / queue.descriptorsFor(headerApart ? PARTS : 1);
        buffersPa = platform.allocate((long) slots * BUFFER_SIZE, AddressRange.PAGE_SIZE);
        buffersBus = new long[slots];
        Arrays.setAll(buffersBus, slot -> platform.busAddress(bufferPa(slot)));
        freeSlots = new int[slots];
        nextSlots = new int[slots];
        marked = new boolean[slots];
        reset();
    }

    /** No frame is with the device: at the start, and after a reset of the queue. */
    void reset() {
        free = 0;
        packets = 0;
        armed = false;
        Arrays.fill(nextSlots, NONE);
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

    /** The most parts that a buffer has with these features, where it is not one. */
    static int parts(long features) {
        return (features & VirtioFeatures.HOST_SEGMENTATION) == 0 ? PARTS : PARTS_OF_LONGEST;
    }

    /** Slots that a frame takes. */
    int slotsFor(int length) {
        return (headerBytes + length + BUFFER_SIZE - 1) / BUFFER_SIZE;
    }

    /** All slots. */
    int slots() {
        return slots;
    }

    /**
     * There must be {@link #slotsFor} free slots. The header says that nothing is left to do: all zero, num_buffers too
     * (5.1.6.2).
     */
    void put(byte[] frame, int offset, int length) {
        int slot = freeSlots[--free];
        if (marked[slot]) {
            marked[slot] = false;
            header.clear(ram, bufferPa(slot));
        }
        add(slot, frame, offset, length);
    }

    /** The same with something left to the device. */
    void put(byte[] frame, int offset, int length, PacketOffload offload) {
        int slot = freeSlots[--free];
        marked[slot] = true;
        header.write(ram, bufferPa(slot), offload);
        add(slot, frame, offset, length);
    }

    private void add(int slot, byte[] frame, int offset, int length) {
        packets++;
        long bus = buffersBus[slot];
        int first = Math.min(length, BUFFER_SIZE - headerBytes);
        ram.write(bufferPa(slot) + headerBytes, frame, offset, first);
        if (first == length && !headerApart) {
            queue.add(slot, bus, headerBytes + length, false);
            return;
        }
        parts.clear();
        if (headerApart) {
            parts.read(bus, headerBytes).read(bus + headerBytes, first);
        } else {
            parts.read(bus, headerBytes + first);
        }
        int previous = slot;
        for (int done = first; done < length; ) {
            int next = freeSlots[--free];
            int part = Math.min(length - done, BUFFER_SIZE);
            ram.write(bufferPa(next), frame, offset + done, part);
            // The buffer's start is no header any more.
            marked[next] = true;
            parts.read(buffersBus[next], part);
            nextSlots[previous] = next;
            previous = next;
            done += part;
        }
        queue.add(slot, parts);
    }

    /** @return false if the device returned what it does not have */
    boolean reap() {
        while (queue.hasUsed()) {
            int slot = queue.usedToken();
            if (slot == DriverQueue.NO_BUFFER) {
                return false;
            }
            queue.consume();
            packets--;
            release(slot);
        }
        // The event index stays far ahead of what the device returns, or moves there now that there is room again.
        if (!armed || free >= awaited) {
            armed = false;
            queue.silenceInterrupts();
        }
        return true;
    }

    private void release(int first) {
        for (int slot = first; slot != NONE; ) {
            int next = nextSlots[slot];
            nextSlots[slot] = NONE;
            freeSlots[free++] = slot;
            slot = next;
        }
    }

    /**
     * To be called when there are not enough free slots: asks for an interrupt.
     *
     * @param slots how many are wanted
     * @return false if some have come back meanwhile: reap again
     */
    boolean arm(int slots) {
        armed = true;
        awaited = slots;
        return queue.armInterrupt(packets * 3 / 4);
    }
}

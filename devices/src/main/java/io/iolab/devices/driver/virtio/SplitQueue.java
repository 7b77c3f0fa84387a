package io.iolab.devices.driver.virtio;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/**
 * The driver's side of a split virtqueue (virtio 1.2 section 2.7).
 *
 * <p>Order, with the four places where it matters (2.7.13, 2.7.14):
 *
 * <pre>
 *   publish: descriptors, avail.ring[] | release | avail.idx | full | used.flags or avail_event --> kick?
 *   consume: used.idx | acquire | used.ring[], buffer
 *   re-arm:  used_event or avail.flags | full | used.idx again
 * </pre>
 *
 * <p>The full fences are what keeps a wake-up from being lost: each side stores its index and then loads the other's wish,
 * and a processor may perform a load before an earlier store to another place.
 */
final class SplitQueue {
    static final int DESCRIPTOR_SIZE = 16;
    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;

    private static final int NO_INTERRUPT = 1;
    private static final int NO_NOTIFY = 1;
    private static final int AVAIL_IDX = 2;
    private static final int AVAIL_RING = 4;
    private static final int USED_IDX = 2;
    private static final int USED_RING = 4;
    private static final int USED_ELEMENT = 8;
    /** An event index that far ahead is not passed before the driver moves it again; queues have at most 2^15 entries. */
    private static final int FAR_AHEAD = 0x8000;

    private final Memory ram;
    private final CpuPort cpu;
    private final int index;
    private final int size;
    private final boolean eventIdx;
    private final long descriptorsPa;
    private final long availPa;
    private final long usedPa;
    private long notifyPa;
    private final long descriptorsBus;
    private final long availBus;
    private final long usedBus;

    private int avail;
    private int published;
    private int lastUsed;
    private long kicks;
    private long suppressed;

    /** @param size a power of two */
    SplitQueue(DriverPlatform platform, int index, int size, boolean eventIdx) {
        this.ram = platform.ram();
        this.cpu = platform.cpu();
        this.index = index;
        this.size = size;
        this.eventIdx = eventIdx;
        descriptorsPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        availPa = platform.allocate(AVAIL_RING + 2L * size + 2, AddressRange.PAGE_SIZE);
        usedPa = platform.allocate(USED_RING + (long) USED_ELEMENT * size + 2, AddressRange.PAGE_SIZE);
        descriptorsBus = platform.busAddress(descriptorsPa);
        availBus = platform.busAddress(availPa);
        usedBus = platform.busAddress(usedPa);
    }

    /** Where this queue's kicks go. */
    void notifyAt(long pa) {
        notifyPa = pa;
    }

    int index() {
        return index;
    }

    int size() {
        return size;
    }

    long descriptorsBus() {
        return descriptorsBus;
    }

    long availBus() {
        return availBus;
    }

    long usedBus() {
        return usedBus;
    }

    long kicks() {
        return kicks;
    }

    long suppressedKicks() {
        return suppressed;
    }

    void describe(int descriptor, long bus, int length, int flags, int next) {
        write(ram, descriptorsPa + (long) descriptor * DESCRIPTOR_SIZE, bus, length, flags, next);
    }

    /** Writes a descriptor of the table or of an indirect one. */
    static void write(Memory ram, long pa, long bus, int length, int flags, int next) {
        ram.writeLong(pa, bus);
        ram.writeInt(pa + 8, length);
        ram.writeShort(pa + 12, (short) flags);
        ram.writeShort(pa + 14, (short) next);
    }

    /** The device never writes the table (2.7.5), so what stays the same from frame to frame is written once. */
    void setLength(int descriptor, int length) {
        ram.writeInt(descriptorsPa + (long) descriptor * DESCRIPTOR_SIZE + 8, length);
    }

    /** Puts a chain into the available ring, unseen until {@link #publish}. */
    void makeAvailable(int head) {
        ram.writeShort(availPa + AVAIL_RING + 2L * (avail & size - 1), (short) head);
        avail = RingIndex.advance(avail, 1);
    }

    /** Shows the device what was made available and kicks it, unless it asked not to be. */
    void publish() {
        if (avail == published) {
            return;
        }
        int old = published;
        published = avail;
        ram.storeShortRelease(availPa + AVAIL_IDX, (short) avail);
        Memory.fullFence();
        if (wantsKick(old)) {
            kicks++;
            cpu.store(notifyPa, 2, index);
        } else {
            suppressed++;
        }
    }

    private boolean wantsKick(int old) {
        if (eventIdx) {
            int availEvent = ram.loadShortAcquire(usedPa + USED_RING + (long) USED_ELEMENT * size) & 0xFFFF;
            return RingIndex.passed(availEvent, old, published);
        }
        return (ram.loadShortAcquire(usedPa) & NO_NOTIFY) == 0;
    }

    /** Buffers that the device has returned and the driver has not taken. */
    int pending() {
        return RingIndex.distance(lastUsed, ram.loadShortAcquire(usedPa + USED_IDX) & 0xFFFF);
    }

    /** Of the oldest returned buffer; there must be one. Unsigned; anything, if the device misbehaves. */
    int usedId() {
        return ram.readInt(usedElement());
    }

    /** Bytes written into the oldest returned buffer. */
    int usedLength() {
        return ram.readInt(usedElement() + 4);
    }

    private long usedElement() {
        return usedPa + USED_RING + (long) USED_ELEMENT * (lastUsed & size - 1);
    }

    void consume() {
        lastUsed = RingIndex.advance(lastUsed, 1);
    }

    /** Buffers returned so far, modulo 2^16. */
    int lastUsed() {
        return lastUsed;
    }

    int published() {
        return published;
    }

    /** Advisory: one interrupt that is under way may still come. */
    void silenceInterrupts() {
        if (eventIdx) {
            writeUsedEvent(RingIndex.advance(lastUsed, FAR_AHEAD));
        } else {
            ram.storeShortRelease(availPa, (short) NO_INTERRUPT);
        }
    }

    /**
     * Asks for an interrupt once more than {@code buffers} have been returned; without EVENT_IDX, for one at the next return.
     *
     * @return false if that has happened already: the interrupt may never come, so look again
     */
    boolean armInterrupt(int buffers) {
        if (eventIdx) {
            writeUsedEvent(RingIndex.advance(lastUsed, buffers));
        } else {
            ram.storeShortRelease(availPa, (short) 0);
        }
        Memory.fullFence();
        return pending() <= buffers;
    }

    private void writeUsedEvent(int event) {
        ram.storeShortRelease(availPa + AVAIL_RING + 2L * size, (short) event);
    }
}

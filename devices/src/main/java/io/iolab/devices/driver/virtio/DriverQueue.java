package io.iolab.devices.driver.virtio;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/**
 * The driver's side of a virtqueue, whatever its ring looks like. A buffer is added under a token that the caller chooses, is
 * shown to the device by {@link #publish}, and comes back under that token. A buffer of several parts goes through an indirect
 * table, one for each token, where the queue has such tables; else it takes a descriptor for each part.
 *
 * <p>What the device writes is not trusted: a buffer that it returns without having it is token -1.
 */
abstract class DriverQueue {
    static final int DESCRIPTOR_SIZE = 16;
    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;

    /** What {@link #usedToken} answers for a buffer that the device does not have. */
    static final int NO_BUFFER = -1;

    final Memory ram;
    private final CpuPort cpu;
    private final int index;
    private final int size;
    private final int tableEntries;
    private final long tablesPa;
    private final long tablesBus;
    private long notifyPa;
    private long kicks;
    private long suppressed;

    /** Buffers since the queue was made or reset. */
    long added;

    long published;
    long reaped;

    /** @param tableEntries the most parts that go through an indirect table, 0 to have no tables */
    DriverQueue(DriverPlatform platform, int index, int size, int tableEntries) {
        this.ram = platform.ram();
        this.cpu = platform.cpu();
        this.index = index;
        this.size = size;
        this.tableEntries = tableEntries;
        tablesPa = tableEntries == 0
                ? 0
                : platform.allocate((long) size * tableEntries * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        tablesBus = tableEntries == 0 ? 0 : platform.busAddress(tablesPa);
    }

    /**
     * @param size descriptors, as the ring's format allows
     * @param features as negotiated: they decide on the format of the ring and on whether there are indirect tables
     * @param tableEntries the most parts that go through an indirect table; 0 if no buffer has several parts
     */
    static DriverQueue create(DriverPlatform platform, int index, int size, long features, int tableEntries) {
        int entries = (features & VirtioFeatures.INDIRECT_DESC) == 0 ? 0 : tableEntries;
        return new SplitQueue(platform, index, size, features, entries);
    }

    /** Where this queue's kicks go. */
    final void notifyAt(long pa) {
        notifyPa = pa;
    }

    final int index() {
        return index;
    }

    final int size() {
        return size;
    }

    /** For queue_desc. */
    abstract long descriptorsBus();

    /** For queue_driver. */
    abstract long driverBus();

    /** For queue_device. */
    abstract long deviceBus();

    final long kicks() {
        return kicks;
    }

    final long suppressedKicks() {
        return suppressed;
    }

    /** Whether a buffer of so many parts goes through an indirect table. */
    final boolean indirect(int parts) {
        return parts > 1 && parts <= tableEntries;
    }

    /** Descriptors that a buffer of so many parts takes. */
    final int descriptorsFor(int parts) {
        return indirect(parts) ? 1 : parts;
    }

    /** Descriptors that no buffer has. */
    abstract int free();

    /**
     * Adds a buffer of one part, unseen until {@link #publish}. There must be a free descriptor.
     *
     * @param token 0 to size - 1, of no buffer that is out
     * @param writable whether the device writes it, or else reads it
     */
    abstract void add(int token, long bus, int length, boolean writable);

    /** Adds a buffer of at least one part; {@link #descriptorsFor} of it must be free. */
    abstract void add(int token, BufferParts parts);

    /** Shows the device what was added and kicks it, unless it asked not to be or nothing was added. */
    abstract void publish();

    /** Buffers that the device was shown and has not returned, as far as the driver has looked. */
    final int inFlight() {
        return (int) (published - reaped);
    }

    /** Buffers taken back so far. */
    final long reaped() {
        return reaped;
    }

    /** Whether the device has returned a buffer that is not consumed yet. */
    abstract boolean hasUsed();

    /** Of the oldest returned buffer; there must be one. {@link #NO_BUFFER} if the device does not have it. */
    abstract int usedToken();

    /** Bytes written into the oldest returned buffer. Unsigned; anything, if the device misbehaves. */
    abstract int usedLength();

    /** The id in the ring of the oldest returned buffer, for messages. */
    abstract int usedId();

    /** Takes the oldest returned buffer back; its token must have been looked at and be valid. */
    abstract void consume();

    /** Advisory: one interrupt that is under way may still come. */
    abstract void silenceInterrupts();

    /**
     * Asks for an interrupt once more than {@code buffers} have been returned, or for an earlier one where the ring cannot say
     * that.
     *
     * @return false if it may never come, since the device has gone on meanwhile: look again
     */
    abstract boolean armInterrupt(int buffers);

    /** After publishing and a full fence. */
    final void kick(boolean wanted) {
        if (wanted) {
            kicks++;
            cpu.store(notifyPa, 2, index);
        } else {
            suppressed++;
        }
    }

    final long tableBus(int token) {
        return tablesBus + (long) token * tableEntries * DESCRIPTOR_SIZE;
    }

    final long tablePa(int token) {
        return tablesPa + (long) token * tableEntries * DESCRIPTOR_SIZE;
    }

    /** Writes 16 bytes: address (8), length (4), and two 16-bit fields whose meaning is the ring's. */
    final void writeDescriptor(long pa, long bus, int length, int lower, int upper) {
        ram.writeLong(pa, bus);
        ram.writeLong(pa + 8, length & 0xFFFF_FFFFL | (long) lower << 32 | (long) upper << 48);
    }
}

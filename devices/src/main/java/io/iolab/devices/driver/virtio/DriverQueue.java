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
    private final boolean inOrder;
    private final boolean kicksTellPlace;

    /** With IN_ORDER: tokens in the order in which they were added, around, and the bytes that the device may write for each. */
    private final int[] order;

    private final int[] room;
    private int nextInOrder;
    private int oldestInOrder;

    /** With IN_ORDER: the token of the last buffer that the ring says is used, while those before it are consumed. */
    private int batchLast = NO_BUFFER;

    private int batchLength;
    /** What usedToken answered last: the device may change the ring meanwhile. */
    private int current = NO_BUFFER;

    /** Whether a run of {@link #consume(int[], int, int)} ended at a buffer that the device does not have. */
    boolean foreign;

    private long notifyPa;
    private int notifyNumber;
    private long kicks;
    private long suppressed;

    /** Buffers since the queue was made or reset. */
    long added;

    long published;
    long reaped;

    /** @param tableEntries the most parts that go through an indirect table, 0 to have no tables */
    DriverQueue(DriverPlatform platform, int index, int size, long features, int tableEntries) {
        this.ram = platform.ram();
        this.cpu = platform.cpu();
        this.index = index;
        this.size = size;
        this.tableEntries = tableEntries;
        inOrder = (features & VirtioFeatures.IN_ORDER) != 0;
        kicksTellPlace = (features & VirtioFeatures.NOTIFICATION_DATA) != 0;
        order = new int[inOrder ? size : 0];
        room = new int[inOrder ? size : 0];
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
        return (features & VirtioFeatures.RING_PACKED) == 0
                ? new SplitQueue(platform, index, size, features, entries)
                : new PackedQueue(platform, index, size, features, entries);
    }

    /**
     * Where this queue's kicks go.
     *
     * @param number what they carry: the queue's index, or with NOTIF_CONFIG_DATA a number of the device's
     */
    final void notifyAt(long pa, int number) {
        notifyPa = pa;
        notifyNumber = number;
    }

    /** After a reset of the queue (virtio 1.2 section 2.6.1): no buffer is out, all positions are initial. */
    final void reset() {
        added = 0;
        published = 0;
        reaped = 0;
        nextInOrder = 0;
        oldestInOrder = 0;
        batchLast = NO_BUFFER;
        foreign = false;
        resetRing();
    }

    abstract void resetRing();

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
    final void add(int token, long bus, int length, boolean writable) {
        if (inOrder) {
            remember(token, writable ? length : 0);
        }
        addToRing(token, bus, length, writable);
        added++;
    }

    /**
     * Adds {@code count} buffers of one part, equally long, unseen until {@link #publish}; that many descriptors must be free.
     *
     * @param tokens of the buffers, from index {@code from} on
     * @param bus where the buffer of token 0 lies; the others follow it without gaps
     */
    void add(int[] tokens, int from, int count, long bus, int length, boolean writable) {
        for (int i = from; i < from + count; i++) {
            add(tokens[i], bus + (long) tokens[i] * length, length, writable);
        }
    }

    /** Adds a buffer of at least one part; {@link #descriptorsFor} of it must be free. */
    final void add(int token, BufferParts parts) {
        if (inOrder) {
            remember(token, parts.writableBytes());
        }
        addToRing(token, parts);
        added++;
    }

    private void remember(int token, int writableBytes) {
        order[nextInOrder] = token;
        nextInOrder = nextInOrder == size - 1 ? 0 : nextInOrder + 1;
        room[token] = writableBytes;
    }

    abstract void addToRing(int token, long bus, int length, boolean writable);

    abstract void addToRing(int token, BufferParts parts);

    /** Whether buffers are used in order, and a used one stands for those before it (virtio 1.2 sections 2.7.9 and 2.8.8). */
    final boolean inOrder() {
        return inOrder;
    }

    /** Shows the device what was added and kicks it, unless it asked not to be or nothing was added. */
    final void publish() {
        int count = show();
        if (count > 0) {
            // The device re-arms, then looks at the ring; we moved the ring on, now look at what it re-armed: store
            // before load, which release order does not give (2.7.13.4.1, 2.8.21.3.1).
            ram.storeLoadFence();
            kick(wantsKick(count));
        }
    }

    /** Shows a device that polls what was added: it needs no kick and is not asked. */
    final void publishWithoutKick() {
        show();
    }

    private int show() {
        int count = (int) (added - published);
        if (count > 0) {
            expose();
            published = added;
        }
        return count;
    }

    /** Makes what was added since the last time visible, with release order. There is something. */
    abstract void expose();

    /** Whether the device wants a kick for the {@code buffers} that were exposed last. */
    abstract boolean wantsKick(int buffers);

    /** How far the driver got: next_off in bits 14:0, next_wrap in bit 15 (virtio 1.2 section 2.9). */
    abstract int place();

    /** Buffers that the device was shown and has not returned, as far as the driver has looked. */
    final int inFlight() {
        return (int) (published - reaped);
    }

    /** Buffers taken back so far. */
    final long reaped() {
        return reaped;
    }

    /** Whether the device has returned a buffer that is not consumed yet. */
    final boolean hasUsed() {
        return batchLast != NO_BUFFER || ringHasUsed();
    }

    /** Of the oldest returned buffer; there must be one. {@link #NO_BUFFER} if the device does not have it. */
    final int usedToken() {
        if (!inOrder || batchLast == NO_BUFFER) {
            current = ringToken();
        }
        if (inOrder && current != NO_BUFFER) {
            if (batchLast == NO_BUFFER) {
                batchLast = current;
                batchLength = ringLength();
            }
            current = reaped == published ? NO_BUFFER : order[oldestInOrder];
        }
        return current;
    }

    /** Bytes written into the oldest returned buffer, after its token. Unsigned; anything, if the device misbehaves. */
    final int usedLength() {
        if (!inOrder) {
            return ringLength();
        }
        return current == batchLast ? batchLength : room[current];
    }

    /** Takes the oldest returned buffer back, after its token, which is valid. */
    final void consume() {
        if (inOrder) {
            oldestInOrder = oldestInOrder == size - 1 ? 0 : oldestInOrder + 1;
            batchLast = current == batchLast ? NO_BUFFER : batchLast;
        }
        release(current);
        reaped++;
    }

    /**
     * Takes back the buffers that the device has returned, up to the first that it does not have: see {@link #sawForeignBuffer}.
     *
     * @param tokens where theirs go, from index {@code from} on
     * @param limit the most buffers
     * @return how many
     */
    int consume(int[] tokens, int from, int limit) {
        int count = 0;
        while (count < limit && hasUsed()) {
            if (usedToken() == NO_BUFFER) {
                foreign = true;
                break;
            }
            tokens[from + count] = current;
            count++;
            consume();
        }
        return count;
    }

    final boolean sawForeignBuffer() {
        return foreign;
    }

    abstract boolean ringHasUsed();

    /** The token of the used buffer that the ring tells of, or {@link #NO_BUFFER}. */
    abstract int ringToken();

    abstract int ringLength();

    /** Frees what the oldest buffer has in the ring. */
    abstract void release(int token);

    /** The id in the ring where the oldest returned buffer is told, for messages. */
    abstract int usedId();

    /** Advisory: one interrupt that is under way may still come. */
    abstract void silenceInterrupts();

    /**
     * Asks for an interrupt once more than {@code buffers} have been returned, or for an earlier one where the ring cannot say
     * that.
     *
     * @return false if it may never come, since the device has gone on meanwhile: look again
     */
    abstract boolean armInterrupt(int buffers);

    private void kick(boolean wanted) {
        if (!wanted) {
            suppressed++;
            return;
        }
        kicks++;
        if (kicksTellPlace) {
            cpu.store(notifyPa, 4, (notifyNumber | place() << 16) & 0xFFFF_FFFFL);
        } else {
            cpu.store(notifyPa, 2, notifyNumber);
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

package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import java.util.Arrays;

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
final class SplitQueue extends DriverQueue {
    private static final int NO_INTERRUPT = 1;
    private static final int NO_NOTIFY = 1;
    private static final int AVAIL_IDX = 2;
    private static final int AVAIL_RING = 4;
    private static final int USED_IDX = 2;
    private static final int USED_RING = 4;
    private static final int USED_ELEMENT = 8;
    /** An event index that far ahead is not passed before the driver moves it again; queues have at most 2^15 entries. */
    private static final int FAR_AHEAD = 0x8000;

    private final int mask;
    private final boolean eventIdx;
    private final long descriptorsPa;
    private final long availPa;
    private final long usedPa;
    private final long descriptorsBus;
    private final long availBus;
    private final long usedBus;

    /**
     * The descriptor after each: of its chain, or of the list of free ones, which is used from one end and filled at the other. So
     * buffers that come back in order keep their descriptors, and most of what would be written is there already; with IN_ORDER,
     * where they must, it is always the next in the table (section 2.7.9).
     */
    private final int[] following;

    /** By first descriptor: its buffer's token, or NO_BUFFER; the last descriptor; and how many there are. */
    private final int[] tokens;

    private final int[] lasts;
    private final int[] counts;

    /** The first descriptor by token. */
    private final int[] heads;

    /** What the table holds, as two words for each descriptor; it starts as zeros. */
    private final long[] addresses;

    private final long[] rests;

    /** What the available ring holds: nor does the device write that. */
    private final int[] entries;

    private int firstFree;
    private int lastFree;
    private int free;

    /** used.idx when last loaded. */
    private int usedSeen;

    /** @param size a power of two */
    SplitQueue(DriverPlatform platform, int index, int size, long features, int tableEntries) {
        super(platform, index, size, features, tableEntries);
        this.mask = size - 1;
        this.eventIdx = (features & VirtioFeatures.EVENT_IDX) != 0;
        descriptorsPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        availPa = platform.allocate(AVAIL_RING + 2L * size + 2, AddressRange.PAGE_SIZE);
        usedPa = platform.allocate(USED_RING + (long) USED_ELEMENT * size + 2, AddressRange.PAGE_SIZE);
        descriptorsBus = platform.busAddress(descriptorsPa);
        availBus = platform.busAddress(availPa);
        usedBus = platform.busAddress(usedPa);
        following = new int[size];
        tokens = new int[size];
        lasts = new int[size];
        counts = new int[size];
        heads = new int[size];
        addresses = new long[size];
        rests = new long[size];
        entries = new int[size];
        start();
    }

    @Override
    void resetRing() {
        ram.fill(descriptorsPa, (long) size() * DESCRIPTOR_SIZE, (byte) 0);
        Arrays.fill(addresses, 0);
        Arrays.fill(rests, 0);
        Arrays.fill(entries, 0);
        ram.fill(availPa, AVAIL_RING + 2L * size() + 2, (byte) 0);
        ram.fill(usedPa, USED_RING + (long) USED_ELEMENT * size() + 2, (byte) 0);
        start();
    }

    private void start() {
        Arrays.setAll(following, i -> i + 1 & mask);
        Arrays.fill(tokens, NO_BUFFER);
        firstFree = 0;
        lastFree = mask;
        free = size();
        usedSeen = 0;
    }

    @Override
    long descriptorsBus() {
        return descriptorsBus;
    }

    @Override
    long driverBus() {
        return availBus;
    }

    @Override
    long deviceBus() {
        return usedBus;
    }

    @Override
    int free() {
        return free;
    }

    private long descriptorPa(int descriptor) {
        return descriptorsPa + (long) descriptor * DESCRIPTOR_SIZE;
    }

    @Override
    void addToRing(int token, long bus, int length, boolean writable) {
        int head = firstFree;
        describe(head, bus, length, writable ? WRITE : 0, 0);
        makeAvailable(token, head, head, 1);
    }

    @Override
    void addToRing(int token, BufferParts parts) {
        int head = firstFree;
        int count = parts.count();
        if (indirect(count)) {
            for (int i = 0; i < count; i++) {
                int next = i < count - 1 ? i + 1 : 0;
                long pa = tablePa(token) + (long) i * DESCRIPTOR_SIZE;
                writeDescriptor(pa, parts.bus(i), parts.length(i), flags(parts, i), next);
            }
            describe(head, tableBus(token), count * DESCRIPTOR_SIZE, INDIRECT, 0);
            makeAvailable(token, head, head, 1);
            return;
        }
        int last = head;
        int descriptor = head;
        for (int i = 0; i < count; i++) {
            last = descriptor;
            descriptor = following[last];
            describe(last, parts.bus(i), parts.length(i), flags(parts, i), i < count - 1 ? descriptor : 0);
        }
        makeAvailable(token, head, last, count);
    }

    private static int flags(BufferParts parts, int part) {
        return (parts.writable(part) ? WRITE : 0) | (part < parts.count() - 1 ? NEXT : 0);
    }

    /**
     * The device never writes the table (2.7.5), so what stays the same from buffer to buffer is written once: the line that
     * holds it stays in both processors' caches.
     */
    private void describe(int descriptor, long bus, int length, int flags, int next) {
        long rest = length & 0xFFFF_FFFFL | (long) flags << 32 | (long) next << 48;
        if (addresses[descriptor] != bus || rests[descriptor] != rest) {
            addresses[descriptor] = bus;
            rests[descriptor] = rest;
            writeDescriptor(descriptorPa(descriptor), bus, length, flags, next);
        }
    }

    private void makeAvailable(int token, int head, int last, int count) {
        firstFree = following[last];
        free -= count;
        tokens[head] = token;
        heads[token] = head;
        lasts[head] = last;
        counts[head] = count;
        int entry = (int) added & mask;
        if (entries[entry] != head) {
            entries[entry] = head;
            ram.writeShort(availPa + AVAIL_RING + 2L * entry, (short) head);
        }
    }

    @Override
    void expose() {
        ram.storeShortRelease(availPa + AVAIL_IDX, (short) added);
    }

    @Override
    boolean wantsKick(int buffers) {
        if (eventIdx) {
            int availEvent = ram.loadShortAcquire(usedPa + USED_RING + (long) USED_ELEMENT * size()) & 0xFFFF;
            return RingIndex.passed(availEvent, RingIndex.of(published - buffers), RingIndex.of(published));
        }
        return (ram.loadShortAcquire(usedPa) & NO_NOTIFY) == 0;
    }

    @Override
    int place() {
        return RingIndex.of(published);
    }

    @Override
    boolean ringHasUsed() {
        int lastUsed = RingIndex.of(reaped);
        return usedSeen != lastUsed || loadUsedIndex() != lastUsed;
    }

    private int loadUsedIndex() {
        usedSeen = ram.loadShortAcquire(usedPa + USED_IDX) & 0xFFFF;
        return usedSeen;
    }

    /** One look at used.idx at most: each takes the line from the device, which is about to write it again. */
    @Override
    int consume(int[] buffers, int from, int limit) {
        if (inOrder()) {
            return super.consume(buffers, from, limit);
        }
        if (!ringHasUsed()) {
            return 0;
        }
        int most = Math.min(limit, RingIndex.distance(RingIndex.of(reaped), usedSeen));
        int count = 0;
        while (count < most) {
            int token = ringToken();
            if (token == NO_BUFFER) {
                foreign = true;
                break;
            }
            buffers[from + count] = token;
            count++;
            release(token);
            reaped++;
        }
        return count;
    }

    @Override
    int ringToken() {
        int id = usedId();
        return id < 0 || id > mask || reaped == published ? NO_BUFFER : tokens[id];
    }

    @Override
    int usedId() {
        return ram.readInt(usedElement());
    }

    @Override
    int ringLength() {
        return ram.readInt(usedElement() + 4);
    }

    private long usedElement() {
        return usedPa + USED_RING + (long) USED_ELEMENT * ((int) reaped & mask);
    }

    @Override
    void release(int token) {
        int head = heads[token];
        tokens[head] = NO_BUFFER;
        if (free == 0) {
            firstFree = head;
        } else {
            following[lastFree] = head;
        }
        lastFree = lasts[head];
        free += counts[head];
    }

    @Override
    void silenceInterrupts() {
        if (eventIdx) {
            writeUsedEvent(FAR_AHEAD);
        } else {
            ram.storeShortRelease(availPa, (short) NO_INTERRUPT);
        }
    }

    @Override
    boolean armInterrupt(int buffers) {
        if (eventIdx) {
            writeUsedEvent(buffers);
        } else {
            ram.storeShortRelease(availPa, (short) 0);
        }
        ram.storeLoadFence();
        return RingIndex.distance(RingIndex.of(reaped), loadUsedIndex()) <= buffers;
    }

    private void writeUsedEvent(int ahead) {
        ram.storeShortRelease(availPa + AVAIL_RING + 2L * size(), (short) (reaped + ahead));
    }
}

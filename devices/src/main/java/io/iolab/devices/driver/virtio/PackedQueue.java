package io.iolab.devices.driver.virtio;

import io.iolab.devices.driver.DriverPlatform;
import io.iolab.devices.memory.AddressRange;
import java.util.Arrays;

/**
 * The driver's side of a packed virtqueue (virtio 1.2 section 2.8). A buffer's id is its token.
 *
 * <p>Order (2.8.21, 2.8.22):
 *
 * <pre>
 *   publish: all that was added, but for the first descriptor's flags | release | those | full | device's events --> kick?
 *   consume: flags at the place of the next used descriptor | acquire | id, length, buffer
 *   re-arm:  place, release, flags of the driver's events | full | the next used descriptor again
 * </pre>
 *
 * <p>The device reads on only from a descriptor that it found available, so the first one's flags hide the rest.
 */
final class PackedQueue extends DriverQueue {
    private static final int LENGTH = 8;
    private static final int ID = 12;
    private static final int FLAGS = 14;
    private static final int AVAIL = 0x80;
    private static final int USED = 0x8000;

    private static final int EVENT_SIZE = 4;
    private static final int CACHE_LINE = 64;
    private static final int EVENT_FLAGS = 2;
    private static final int ENABLE = 0;
    private static final int DISABLE = 1;
    private static final int DESC = 2;

    private final boolean eventIdx;
    private final long ringPa;
    private final long driverEventPa;
    private final long deviceEventPa;
    private final long ringBus;
    private final long driverEventBus;
    private final long deviceEventBus;

    /** Descriptors of each buffer that is out, by id; 0 for others. */
    private final int[] counts;

    private int free;
    private int nextSlot;
    private boolean nextWrap;
    /** Descriptors added since the last publication; the first one's place and its flags. */
    private int unpublished;

    /** Descriptors in the last publication. */
    private int exposed;

    private int firstSlot;
    private int firstFlags;
    private int usedSlot;
    private boolean usedWrap;
    /** Flags and id of the descriptor at usedSlot when last looked at. */
    private int usedFlags;

    private int usedId;

    private int eventFlags;

    /** @param size 1 to 32768 */
    PackedQueue(DriverPlatform platform, int index, int size, long features, int tableEntries) {
        super(platform, index, size, features, tableEntries);
        eventIdx = (features & VirtioFeatures.EVENT_IDX) != 0;
        ringPa = platform.allocate((long) size * DESCRIPTOR_SIZE, AddressRange.PAGE_SIZE);
        // A cache line each: what one side writes at each batch is not in the other's way.
        driverEventPa = platform.allocate(EVENT_SIZE, CACHE_LINE);
        deviceEventPa = platform.allocate(EVENT_SIZE, CACHE_LINE);
        ringBus = platform.busAddress(ringPa);
        driverEventBus = platform.busAddress(driverEventPa);
        deviceEventBus = platform.busAddress(deviceEventPa);
        counts = new int[size];
        start();
    }

    @Override
    void resetRing() {
        ram.fill(ringPa, (long) size() * DESCRIPTOR_SIZE, (byte) 0);
        ram.fill(driverEventPa, EVENT_SIZE, (byte) 0);
        ram.fill(deviceEventPa, EVENT_SIZE, (byte) 0);
        Arrays.fill(counts, 0);
        start();
    }

    private void start() {
        free = size();
        nextSlot = 0;
        nextWrap = true;
        unpublished = 0;
        usedSlot = 0;
        usedWrap = true;
        eventFlags = ENABLE;
    }

    @Override
    long descriptorsBus() {
        return ringBus;
    }

    @Override
    long driverBus() {
        return driverEventBus;
    }

    @Override
    long deviceBus() {
        return deviceEventBus;
    }

    @Override
    int free() {
        return free;
    }

    @Override
    void addToRing(int token, long bus, int length, boolean writable) {
        counts[token] = 1;
        append(bus, length, token, writable ? WRITE : 0);
    }

    @Override
    void addToRing(int token, BufferParts parts) {
        int count = parts.count();
        if (indirect(count)) {
            for (int i = 0; i < count; i++) {
                // A table says nothing but WRITE (2.8.7).
                int flags = parts.writable(i) ? WRITE : 0;
                writeDescriptor(tablePa(token) + (long) i * DESCRIPTOR_SIZE, parts.bus(i), parts.length(i), 0, flags);
            }
            counts[token] = 1;
            append(tableBus(token), count * DESCRIPTOR_SIZE, token, INDIRECT);
            return;
        }
        counts[token] = count;
        for (int i = 0; i < count; i++) {
            int flags = (parts.writable(i) ? WRITE : 0) | (i < count - 1 ? NEXT : 0);
            append(parts.bus(i), parts.length(i), token, flags);
        }
    }

    /** As one by one, but with positions and flags at hand: this is where a ring's speed is decided. */
    @Override
    void add(int[] tokens, int from, int count, long bus, int length, boolean writable) {
        if (inOrder()) {
            super.add(tokens, from, count, bus, length, writable);
            return;
        }
        int next = from;
        if (unpublished == 0 && count > 0) {
            addToRing(tokens[next], bus + (long) tokens[next] * length, length, writable);
            next++;
        }
        int[] counts = this.counts;
        int slot = nextSlot;
        boolean wrap = nextWrap;
        int rest = from + count - next;
        for (int end = next + rest; next < end; next++) {
            int token = tokens[next];
            counts[token] = 1;
            int flags = (writable ? WRITE : 0) | (wrap ? AVAIL : USED);
            writeDescriptor(slotPa(slot), bus + (long) token * length, length, token, flags);
            slot++;
            if (slot == counts.length) {
                slot = 0;
                wrap = !wrap;
            }
        }
        nextSlot = slot;
        nextWrap = wrap;
        unpublished += rest;
        free -= rest;
        added += count;
    }

    private void append(long bus, int length, int id, int descriptorFlags) {
        long pa = slotPa(nextSlot);
        int flags = descriptorFlags | (nextWrap ? AVAIL : USED);
        if (unpublished == 0) {
            firstSlot = nextSlot;
            firstFlags = flags;
            ram.writeLong(pa, bus);
            ram.writeInt(pa + LENGTH, length);
            ram.writeShort(pa + ID, (short) id);
        } else {
            writeDescriptor(pa, bus, length, id, flags);
        }
        unpublished++;
        free--;
        nextSlot++;
        if (nextSlot == size()) {
            nextSlot = 0;
            nextWrap = !nextWrap;
        }
    }

    private long slotPa(int slot) {
        return ringPa + (long) slot * DESCRIPTOR_SIZE;
    }

    @Override
    void expose() {
        exposed = unpublished;
        unpublished = 0;
        ram.storeShortRelease(slotPa(firstSlot) + FLAGS, (short) firstFlags);
    }

    @Override
    int place() {
        return nextSlot | (nextWrap ? 0x8000 : 0);
    }

    /** Place and flags come with one load, so that they belong together (2.8.14). */
    @Override
    boolean wantsKick(int buffers) {
        int events = ram.loadIntAcquire(deviceEventPa);
        int flags = events >>> 16 & 3;
        if (flags != DESC) {
            return flags != DISABLE;
        }
        int event = events & 0x7FFF;
        if ((events & 0x8000) != 0 != nextWrap) {
            event -= size();
        }
        return RingIndex.passed(RingIndex.of(event), RingIndex.of(nextSlot - exposed), nextSlot);
    }

    /** Id and flags come with one load, which is atomic: a device that is done with the flags is done with the id. */
    @Override
    boolean ringHasUsed() {
        int word = ram.loadIntAcquire(slotPa(usedSlot) + ID);
        usedId = word & 0xFFFF;
        usedFlags = word >>> 16;
        return marksUsed(usedFlags, usedWrap);
    }

    /** Whether AVAIL and USED both are the wrap counter (2.8.1). */
    private static boolean marksUsed(int flags, boolean wrap) {
        return (flags & (AVAIL | USED)) == (wrap ? AVAIL | USED : 0);
    }

    @Override
    int ringToken() {
        int id = usedId();
        return id >= counts.length || counts[id] == 0 || reaped == published ? NO_BUFFER : id;
    }

    @Override
    int usedId() {
        return usedId;
    }

    /** The length says something only with WRITE (2.8.3). */
    @Override
    int ringLength() {
        return (usedFlags & WRITE) == 0 ? 0 : ram.readInt(slotPa(usedSlot) + LENGTH);
    }

    @Override
    void release(int token) {
        int count = counts[token];
        counts[token] = 0;
        free += count;
        usedSlot += count;
        if (usedSlot >= size()) {
            usedSlot -= size();
            usedWrap = !usedWrap;
        }
    }

    @Override
    int consume(int[] tokens, int from, int limit) {
        if (inOrder()) {
            return super.consume(tokens, from, limit);
        }
        int[] counts = this.counts;
        int out = inFlight();
        int count = 0;
        int slot = usedSlot;
        boolean wrap = usedWrap;
        int freed = 0;
        while (count < limit) {
            int word = ram.loadIntAcquire(slotPa(slot) + ID);
            int id = word & 0xFFFF;
            if (!marksUsed(word >>> 16, wrap)) {
                break;
            }
            if (count == out || id >= counts.length || counts[id] == 0) {
                foreign = true;
                break;
            }
            int descriptors = counts[id];
            counts[id] = 0;
            tokens[from + count] = id;
            count++;
            freed += descriptors;
            slot += descriptors;
            if (slot >= counts.length) {
                slot -= counts.length;
                wrap = !wrap;
            }
        }
        usedSlot = slot;
        usedWrap = wrap;
        free += freed;
        reaped += count;
        return count;
    }

    @Override
    void silenceInterrupts() {
        eventFlags(DISABLE);
    }

    private void eventFlags(int flags) {
        if (eventFlags != flags) {
            eventFlags = flags;
            ram.storeShortRelease(driverEventPa + EVENT_FLAGS, (short) flags);
        }
    }

    /** The place to pass is as many descriptors away as that many buffers have on the average. */
    @Override
    boolean armInterrupt(int buffers) {
        if (eventIdx) {
            int away = buffers == 0 ? 0 : (int) ((long) (size() - free) * buffers / (added - reaped));
            int slot = usedSlot + away;
            boolean passesEnd = slot >= size();
            int place = (passesEnd ? slot - size() : slot) | (usedWrap != passesEnd ? 0x8000 : 0);
            ram.storeShortRelease(driverEventPa, (short) place);
            eventFlags(DESC);
        } else {
            eventFlags(ENABLE);
        }
        ram.storeLoadFence();
        return !ringHasUsed();
    }
}

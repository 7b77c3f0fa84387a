package io.iolab.devices.hostile;

import io.iolab.devices.dma.LittleEndian;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The driver's side of one virtqueue, split or packed (virtio 1.2 2.7, 2.8), which is sound until it is told to lie. A store
 * that misses the guest's memory goes nowhere.
 */
final class RogueQueue {
    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;
    private static final int AVAIL = 0x80;
    private static final int USED = 0x8000;

    /** Areas of queue 0; those of the next queue lie {@link #STRIDE} further. */
    private static final long HOME = 0x1_0000;

    private static final long STRIDE = 0x1_0000;
    private static final long TABLES = 0x4000;
    private static final int TABLE_BYTES = 0x100;
    private static final long DRIVER_AREA = 0x8000;
    private static final long DEVICE_AREA = 0xC000;
    private static final long BUFFERS = 0x12_0000;
    private static final long BUFFER_STRIDE = 0x8000;
    static final int MOST_PARTS = 16;
    private static final int NO_ID = 0xFFFF;

    private final GuestWindow window;
    private final int number;
    private SplittableRandom random;
    boolean packed;
    int size = 8;
    /** Descriptor ring or table, driver area, device area. */
    final long[] areas = new long[3];

    private int slot;
    private boolean wrap = true;
    private int index;
    private final long[] iovas = new long[MOST_PARTS];
    private final int[] lengths = new int[MOST_PARTS];
    private final boolean[] writable = new boolean[MOST_PARTS];
    private int parts;
    private final byte[] sixteen = new byte[16];

    RogueQueue(GuestWindow window, int number, SplittableRandom random) {
        this.window = window;
        this.number = number;
        this.random = random;
    }

    void random(SplittableRandom source) {
        random = source;
    }

    /** Areas where they belong, and empty. */
    void place(boolean asPacked, int descriptors) {
        packed = asPacked;
        size = descriptors;
        long home = HOME + STRIDE * number;
        areas[0] = home;
        areas[1] = home + DRIVER_AREA;
        areas[2] = home + DEVICE_AREA;
        fill(home, 16L * size);
        fill(areas[1], 6 + 2L * size);
        fill(areas[2], 6 + 8L * size);
        rewind();
    }

    /** As after a reset of the queue. */
    void rewind() {
        slot = 0;
        wrap = true;
        index = 0;
        parts = 0;
    }

    private void fill(long gpa, long bytes) {
        window.memory().fill(GuestWindow.SIZE + gpa, bytes, (byte) 0);
    }

    private boolean inside(long gpa, int bytes) {
        return gpa >= 0 && gpa <= GuestWindow.SIZE - bytes;
    }

    private void storeShort(long gpa, int value) {
        if (inside(gpa, 2)) {
            window.memory().writeShort(GuestWindow.SIZE + gpa, (short) value);
        }
    }

    private int loadShort(long gpa) {
        return inside(gpa, 2) ? window.memory().readShort(GuestWindow.SIZE + gpa) & 0xFFFF : 0;
    }

    private void descriptor(long gpa, long iova, int length, int fourth) {
        if (inside(gpa, 16)) {
            LittleEndian.putLong(sixteen, 0, iova);
            LittleEndian.putInt(sixteen, 8, length);
            LittleEndian.putInt(sixteen, 12, fourth);
            window.store(gpa, sixteen);
        }
    }

    /** A place for 16 KiB. */
    long buffer() {
        return BUFFERS + BUFFER_STRIDE * number + 16L * random.nextInt(0x400);
    }

    /** Bytes in one of the queue's buffers. @return where */
    long data(byte[] bytes) {
        long at = buffer();
        window.store(at, Arrays.copyOf(bytes, Math.min(bytes.length, (int) BUFFER_STRIDE / 2)));
        return at;
    }

    /** One more buffer of the chain that {@link #offer} makes available. */
    void part(long iova, int length, boolean deviceWrites) {
        if (parts < MOST_PARTS) {
            iovas[parts] = iova;
            lengths[parts] = length;
            writable[parts++] = deviceWrites;
        }
    }

    /** Makes the chain available, in an indirect table if so wanted. */
    void offer(boolean indirect) {
        int count = indirect ? parts : Math.min(parts, size);
        parts = 0;
        if (indirect) {
            long table = areas[0] + TABLES + TABLE_BYTES * random.nextLong(64);
            for (int i = 0; i < count; i++) {
                int link = packed || i == count - 1 ? 0 : NEXT | i + 1 << 16;
                int write = writable[i] ? WRITE : 0;
                descriptor(table + 16L * i, iovas[i], lengths[i], packed ? write << 16 : write | link);
            }
            iovas[0] = table;
            lengths[0] = 16 * count;
            writable[0] = false;
            count = 1;
        }
        int head = slot;
        for (int i = 0; i < count; i++) {
            int flags = (indirect ? INDIRECT : 0) | (writable[i] ? WRITE : 0) | (i < count - 1 ? NEXT : 0);
            link(iovas[i], lengths[i], flags, head);
        }
        if (!packed) {
            storeShort(areas[1] + 4 + 2L * (index & size - 1), head);
            storeShort(areas[1] + 2, ++index);
        }
    }

    private void link(long iova, int length, int flags, int id) {
        int next = slot == size - 1 ? 0 : slot + 1;
        descriptor(areas[0] + 16L * slot, iova, length, packed ? id | (flags | available()) << 16 : flags | next << 16);
        wrap ^= next == 0;
        slot = next;
    }

    private int available() {
        return wrap ? AVAIL : USED;
    }

    /** Where the driver's next descriptor goes and how far its kicks say it got (virtio 1.2 2.9). */
    int notification() {
        return number | (packed ? slot << 16 | (wrap ? 1 << 31 : 0) : index << 16);
    }

    // ---- all of the ring at once, for a device that stands anywhere in it

    /** Every slot of a packed ring holds the same buffer, available to a device with this wrap counter. */
    void flood(boolean wrapCounter, long iova, int length, boolean deviceWrites) {
        for (int i = 0; i < size; i++) {
            flood(i, wrapCounter, iova, length, i, deviceWrites);
        }
    }

    /** The same with an id that no queue has: a device that looks at its ring must refuse it. */
    void poison(boolean wrapCounter) {
        for (int i = 0; i < size; i++) {
            flood(i, wrapCounter, buffer(), 64, NO_ID, false);
        }
    }

    private void flood(int at, boolean wrapCounter, long iova, int length, int id, boolean deviceWrites) {
        int flags = (wrapCounter ? AVAIL : USED) | (deviceWrites ? WRITE : 0);
        descriptor(areas[0] + 16L * at, iova, length, id | flags << 16);
    }

    /** One buffer more in a split ring whose index says how far it got. */
    void append(long iova, int length, boolean deviceWrites) {
        index = loadShort(areas[1] + 2);
        slot = 0;
        part(iova, length, deviceWrites);
        offer(false);
    }

    void jump(int by) {
        storeShort(areas[1] + 2, loadShort(areas[1] + 2) + by);
    }

    // ---- lies

    private int pick(int... choices) {
        return choices[random.nextInt(choices.length)];
    }

    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    /** Addresses that lie wrong: at edges, beyond memory, wrapping, over the rings, or anywhere. */
    long badAddress() {
        return switch (random.nextInt(8)) {
            case 0 -> -1L - random.nextInt(64);
            case 1 -> GuestWindow.SIZE - random.nextInt(64);
            case 2 -> 1L << 22 + random.nextInt(42);
            case 3 -> 0xFEE0_0000L + random.nextInt(0x1000);
            case 4 -> random.nextLong();
            case 5 -> areas[random.nextInt(3)] + random.nextInt(64);
            default -> HOME + random.nextLong(BUFFERS);
        };
    }

    private int oddLength() {
        return pick(0, 1, 11, 12, 13, 20, -1, 0x7FFF_FFFF, 0x1_0000, 16 * random.nextInt(64), random.nextInt());
    }

    private int oddFlags() {
        return pick(
                0, NEXT, WRITE, INDIRECT, NEXT | WRITE, NEXT | INDIRECT, WRITE | INDIRECT, 7, random.nextInt(0x8000));
    }

    /** Areas outside of memory, wrapping, misaligned, over each other or over those of another queue. */
    void moveArea() {
        int area = random.nextInt(3);
        areas[area] = switch (random.nextInt(5)) {
            case 0 -> badAddress();
            case 1 -> badAddress() & -16L;
            case 2 -> areas[random.nextInt(3)];
            case 3 -> areas[random.nextInt(3)] + pick(2, 4, 8, 16, 64);
            default -> BUFFERS + BUFFER_STRIDE * random.nextInt(4);
        };
    }

    /** One thing in memory is not what it should be. */
    void spoil() {
        switch (random.nextInt(8)) {
            case 0 -> events();
            case 1 -> indirectEntry();
            case 2 -> indirectReference();
            case 3 -> progress();
            case 4 -> spoilFlags();
            default -> spoilDescriptor();
        }
    }

    /** Flags of suppression that mean nothing, places beyond the ring, and the device's own area. */
    private void events() {
        long at = areas[oneIn(3) ? 2 : 1];
        int place = oneIn(2) ? random.nextInt(0x1_0000) : size + random.nextInt(4) | (oneIn(2) ? 0x8000 : 0);
        if (packed) {
            storeShort(at, place);
            storeShort(at + 2, oneIn(2) ? random.nextInt(4) : random.nextInt());
        } else {
            storeShort(at + pick(0, 2, 4 + 2 * size, 4 + 8 * size), place);
        }
    }

    private void indirectEntry() {
        long at = areas[0] + TABLES + TABLE_BYTES * random.nextLong(64) + 16L * random.nextInt(4);
        long iova = oneIn(2) ? badAddress() : areas[0] + TABLES + TABLE_BYTES * random.nextLong(64);
        int flags = packed ? random.nextInt(size) | oddFlags() << 16 : oddFlags() | random.nextInt(16) << 16;
        descriptor(at, iova, oneIn(2) ? oddLength() : 64, flags);
    }

    private void indirectReference() {
        long table = oneIn(3) ? badAddress() : areas[0] + (oneIn(2) ? 0 : TABLES);
        int length = pick(0, 8, 16, 24, 32, 16 * size, 16 * (size + 1), 0xFFFF_FFF0, random.nextInt());
        rewrite(table, length, INDIRECT | pick(0, 0, NEXT, WRITE));
    }

    private void spoilDescriptor() {
        rewrite(oneIn(3) ? badAddress() : buffer(), oneIn(2) ? oddLength() : random.nextInt(1600), oddFlags());
    }

    /** At any slot, or at the driver's next one, which is thereby offered. */
    private void rewrite(long iova, int length, int flags) {
        int at = oneIn(2) ? random.nextInt(size) : slot;
        if (packed) {
            int id = pick(at, random.nextInt(size), size, NO_ID, random.nextInt(0x1_0000));
            int full = flags | pick(available(), available(), available() ^ (AVAIL | USED), AVAIL | USED, 0);
            descriptor(areas[0] + 16L * at, iova, length, (oneIn(2) ? at : id) | full << 16);
        } else {
            int next = oneIn(4) ? random.nextInt(0x1_0000) : random.nextInt(size);
            descriptor(areas[0] + 16L * at, iova, length, flags & 0xFFFF | next << 16);
        }
        if (at == slot && oneIn(2)) {
            wrap ^= slot == size - 1;
            slot = slot == size - 1 ? 0 : slot + 1;
        }
    }

    /** The driver's place in the ring: index jumps, or slot and wrap counter are lost. */
    private void progress() {
        if (packed) {
            slot = oneIn(2) ? slot : random.nextInt(size);
            wrap ^= oneIn(2);
            return;
        }
        switch (random.nextInt(3)) {
            case 0 -> jump(pick(1, 2, -1, size, size + 1, 0x8000, random.nextInt()));
            case 1 -> index += random.nextInt(4);
            default ->
                storeShort(
                        areas[1] + 4 + 2L * random.nextInt(size), oneIn(2) ? random.nextInt() : random.nextInt(size));
        }
    }

    /** Flags of all or some slots: a list without end, all available, all used, none. */
    private void spoilFlags() {
        int set = pick(NEXT, NEXT | AVAIL, NEXT | USED, AVAIL, USED, AVAIL | USED, 0);
        int only = oneIn(2) ? 1 : 1 + random.nextInt(4);
        for (int i = 0; i < size; i += only) {
            long at = areas[0] + 16L * i + (packed ? 14 : 12);
            storeShort(at, set == NEXT ? loadShort(at) | NEXT : set);
        }
    }
}

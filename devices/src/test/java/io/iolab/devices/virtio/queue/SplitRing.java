package io.iolab.devices.virtio.queue;

import io.iolab.devices.memory.Memory;

/**
 * The driver's end of a split virtqueue in raw memory, offsets transcribed from virtio 1.2 sections 2.7.5 to 2.7.8. It
 * writes whatever it is told to, malformed things too.
 */
public final class SplitRing {
    public static final int NEXT = 1;
    public static final int WRITE = 2;
    public static final int INDIRECT = 4;

    public final int size;
    public final long desc;
    public final long avail;
    public final long used;
    private final Memory ram;
    private int availIdx;
    private int reaped;
    private int nextDescriptor;

    public SplitRing(Memory ram, int size, long desc, long avail, long used) {
        this.ram = ram;
        this.size = size;
        this.desc = desc;
        this.avail = avail;
        this.used = used;
    }

    public static long descBytes(int size) {
        return 16L * size;
    }

    public static long availBytes(int size) {
        return 6 + 2L * size;
    }

    public static long usedBytes(int size) {
        return 6 + 8L * size;
    }

    public void descriptor(int index, long gpa, long length, int flags, int next) {
        writeDescriptor(ram, desc + 16L * index, gpa, length, flags, next);
    }

    public static void writeDescriptor(Memory ram, long at, long gpa, long length, int flags, int next) {
        ram.writeLong(at, gpa);
        ram.writeInt(at + 8, (int) length);
        ram.writeShort(at + 12, (short) flags);
        ram.writeShort(at + 14, (short) next);
    }

    /** Puts a head into the available ring without moving the index. */
    public void offer(int head) {
        ram.writeShort(avail + 4 + 2L * (availIdx % size), (short) head);
        availIdx = availIdx + 1 & 0xFFFF;
    }

    /** Makes everything offered available. */
    public void publish() {
        ram.storeShortRelease(avail + 2, (short) availIdx);
    }

    /** Writes avail.idx as it is told. */
    public void publishIndex(int index) {
        ram.storeShortRelease(avail + 2, (short) index);
    }

    /** A single-buffer chain in the next descriptor of the table, offered and published. */
    public int add(long gpa, long length, int flags) {
        int index = nextDescriptor;
        nextDescriptor = (nextDescriptor + 1) % size;
        descriptor(index, gpa, length, flags, 0);
        offer(index);
        publish();
        return index;
    }

    public int availIdx() {
        return availIdx;
    }

    public int usedIdx() {
        return ram.loadShortAcquire(used + 2) & 0xFFFF;
    }

    public int usedFlags() {
        return ram.readShort(used) & 0xFFFF;
    }

    public int availEvent() {
        return ram.readShort(used + 4 + 8L * size) & 0xFFFF;
    }

    public void usedEvent(int index) {
        ram.writeShort(avail + 4 + 2L * size, (short) index);
    }

    public void availFlags(int flags) {
        ram.writeShort(avail, (short) flags);
    }

    public int usedId(int index) {
        return ram.readInt(used + 4 + 8L * ((index & 0xFFFF) % size));
    }

    public long usedLength(int index) {
        return ram.readInt(used + 8 + 8L * ((index & 0xFFFF) % size)) & 0xFFFF_FFFFL;
    }

    /** Used elements not yet reaped; moves past them. */
    public int reap() {
        int count = usedIdx() - reaped & 0xFFFF;
        reaped = reaped + count & 0xFFFF;
        return count;
    }

    /** Whether kicking is asked for after the index moved from {@code old}, by the rules of sections 2.7.7.1 and 2.7.10. */
    public boolean kickWanted(boolean eventIndex, int old) {
        if (!eventIndex) {
            return (usedFlags() & 1) == 0;
        }
        int event = availEvent();
        for (int i = old; i != availIdx; i = i + 1 & 0xFFFF) {
            if (i == event) {
                return true;
            }
        }
        return false;
    }
}

package io.iolab.vmm.bench;

import io.iolab.devices.memory.Memory;

/** The driver's end of a packed virtqueue: one descriptor for each buffer, completions read back (virtio 1.2 section 2.8). */
final class PackedDriver implements RingDriver {
    private static final int AVAIL = 0x80;
    private static final int USED = 0x8000;

    private final Memory memory;
    private final int size;
    private final long ringHpa;
    private int slot;
    private int availableFlags = AVAIL;
    private int usedSlot;
    private int usedFlags = AVAIL | USED;
    private long firstHpa;
    private int firstFlags;
    private int unpublished;

    PackedDriver(Memory memory, int size, long ringHpa) {
        this.memory = memory;
        this.size = size;
        this.ringHpa = ringHpa;
    }

    @Override
    public void add(long hpa, int length, int flags) {
        long descriptor = ringHpa + 16L * slot;
        memory.writeLong(descriptor, hpa);
        if (unpublished++ == 0) {
            firstHpa = descriptor + 14;
            firstFlags = flags | availableFlags;
            memory.writeInt(descriptor + 8, length);
            memory.writeShort(descriptor + 12, (short) slot);
        } else {
            long marks = (long) (flags | availableFlags) << 48;
            memory.writeLong(descriptor + 8, length | (long) slot << 32 | marks);
        }
        if (++slot == size) {
            slot = 0;
            availableFlags ^= AVAIL | USED;
        }
    }

    @Override
    public void publish() {
        memory.storeShortRelease(firstHpa, (short) firstFlags);
        unpublished = 0;
    }

    @Override
    public long reap(int expected) {
        long written = 0;
        for (int i = 0; i < expected; i++) {
            long descriptor = ringHpa + 16L * usedSlot;
            if ((memory.loadShortAcquire(descriptor + 14) & (AVAIL | USED)) != usedFlags) {
                throw new IllegalStateException(i + " buffers used of " + expected);
            }
            written += (memory.readShort(descriptor + 12) & 0xFFFF) + memory.readInt(descriptor + 8);
            if (++usedSlot == size) {
                usedSlot = 0;
                usedFlags ^= AVAIL | USED;
            }
        }
        return written;
    }
}

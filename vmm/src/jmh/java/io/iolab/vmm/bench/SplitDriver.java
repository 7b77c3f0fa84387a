package io.iolab.vmm.bench;

import io.iolab.devices.memory.Memory;

/** The driver's end of a split virtqueue: one descriptor for each buffer, completions read back (virtio 1.2 section 2.7). */
final class SplitDriver implements RingDriver {
    private final Memory memory;
    private final int size;
    private final long tableHpa;
    private final long availHpa;
    private final long usedHpa;
    private int availIdx;
    private int reapedIdx;

    /** @param size a power of two */
    SplitDriver(Memory memory, int size, long tableHpa, long availHpa, long usedHpa) {
        this.memory = memory;
        this.size = size;
        this.tableHpa = tableHpa;
        this.availHpa = availHpa;
        this.usedHpa = usedHpa;
    }

    @Override
    public void add(long hpa, int length, int flags) {
        int slot = availIdx & size - 1;
        long descriptor = tableHpa + 16L * slot;
        memory.writeLong(descriptor, hpa);
        memory.writeInt(descriptor + 8, length);
        memory.writeInt(descriptor + 12, flags);
        memory.writeShort(availHpa + 4 + 2L * slot, (short) slot);
        availIdx++;
    }

    @Override
    public void publish() {
        memory.storeShortRelease(availHpa + 2, (short) availIdx);
    }

    @Override
    public long reap(int expected) {
        int count = memory.loadShortAcquire(usedHpa + 2) - reapedIdx & 0xFFFF;
        if (count != expected) {
            throw new IllegalStateException(count + " buffers used of " + expected);
        }
        long written = 0;
        for (int i = 0; i < count; i++) {
            long element = usedHpa + 4 + 8L * (reapedIdx + i & size - 1);
            written += memory.readInt(element) + memory.readInt(element + 4);
        }
        reapedIdx += count;
        return written;
    }
}

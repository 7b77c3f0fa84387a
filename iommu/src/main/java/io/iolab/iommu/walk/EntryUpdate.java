package io.iolab.iommu.walk;

import io.iolab.devices.memory.Memory;

/** Sets accessed and dirty bits in a paging entry as hardware does: atomically, and only in the entry that was walked. */
final class EntryUpdate {
    /** Processors and other requesters set such bits beside us; software clears them. Each try sees another of their changes. */
    private static final int TRIES = 64;

    private EntryUpdate() {}

    /**
     * @param seen the entry as it was when the walk read it
     * @param wanted bits to set
     * @param ignored bits that others may change at the same time
     * @return whether they are set; false when the entry has become another one
     */
    static boolean set(Memory memory, long entryHpa, long seen, long wanted, long ignored) {
        long now = seen;
        for (int i = 0; i < TRIES; i++) {
            if ((now & wanted) == wanted || memory.compareAndSetLong(entryHpa, now, now | wanted)) {
                return true;
            }
            now = memory.loadLongAcquire(entryHpa);
            if (((now ^ seen) & ~ignored) != 0) {
                return false;
            }
        }
        return false;
    }
}

package io.iolab.vmm.viommu;

import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FrameSource;

/**
 * A page table of four levels as software builds it, first-level or second-level: they differ in the rights of their entries only (VT-d
 * 9.7, 9.8). Tables that became empty stay.
 */
final class FourLevelTable {
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;
    private static final long LARGE = 1 << 7;

    private final Memory memory;
    private final FrameSource frames;
    private final long rights;
    private final long root;

    /** @param rights bits of every entry that is present; one at least */
    FourLevelTable(Memory memory, FrameSource frames, long rights) {
        this.memory = memory;
        this.frames = frames;
        this.rights = rights;
        root = frames.allocatePage();
    }

    long root() {
        return root;
    }

    /**
     * Maps one page.
     *
     * @param level 1 for 4 KiB, 2 for 2 MiB
     */
    void map(long address, long target, int level) {
        memory.storeLongRelease(entry(address, level), target | rights | (level > 1 ? LARGE : 0));
    }

    void clear(long address, int level) {
        memory.storeLongRelease(entry(address, level), 0);
    }

    private long entry(long address, int level) {
        long table = root;
        for (int above = 4; above > level; above--) {
            long at = table + 8 * (address >>> 12 + 9 * (above - 1) & 511);
            long next = memory.readLong(at);
            if ((next & rights) == 0) {
                next = frames.allocatePage() | rights;
                memory.storeLongRelease(at, next);
            }
            table = next & ADDRESS;
        }
        return table + 8 * (address >>> 12 + 9 * (level - 1) & 511);
    }
}

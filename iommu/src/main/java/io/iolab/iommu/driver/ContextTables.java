package io.iolab.iommu.driver;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Memory;

/** Root table and context tables of a unit (VT-d 9.1, 9.3); a context table is made when its bus gets its first device. */
final class ContextTables implements RequesterTables {
    private static final long PRESENT = 1;
    private static final long DEVICE_TLB = 1 << 2;
    private static final long PASS_THROUGH = 2 << 2;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private final Memory memory;
    private final FrameSource frames;
    private final long rootHpa;

    ContextTables(Memory memory, FrameSource frames) {
        this.memory = memory;
        this.frames = frames;
        this.rootHpa = frames.allocatePage();
    }

    @Override
    public long rootAddress() {
        return rootHpa;
    }

    @Override
    public void set(int rid, int domain, int addressWidthCode, long pageTableHpa, boolean deviceTlb) {
        publish(rid, (long) domain << 8 | addressWidthCode, pageTableHpa | (deviceTlb ? DEVICE_TLB : 0) | PRESENT);
    }

    @Override
    public void setPassThrough(int rid, int domain, int addressWidthCode) {
        publish(rid, (long) domain << 8 | addressWidthCode, PASS_THROUGH | PRESENT);
    }

    /** The half with the present bit goes last. */
    private void publish(int rid, long high, long low) {
        long entryHpa = contextTable(RequesterId.bus(rid)) + 16L * RequesterId.devfn(rid);
        memory.writeLong(entryHpa + 8, high);
        memory.storeLongRelease(entryHpa, low);
    }

    @Override
    public void clear(int rid) {
        long entryHpa = contextTable(RequesterId.bus(rid)) + 16L * RequesterId.devfn(rid);
        memory.storeLongRelease(entryHpa, 0);
        memory.writeLong(entryHpa + 8, 0);
    }

    private long contextTable(int bus) {
        long entryHpa = rootHpa + 16L * bus;
        long entry = memory.readLong(entryHpa);
        if ((entry & PRESENT) == 0) {
            entry = frames.allocatePage() | PRESENT;
            memory.storeLongRelease(entryHpa, entry);
        }
        return entry & ADDRESS;
    }
}

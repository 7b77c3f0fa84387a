package io.iolab.iommu.driver;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Memory;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Root, context and PASID structures of scalable mode (VT-d 9.2, 9.4 to 9.6). Each requester has a directory and a table of its own,
 * which stay when it is detached, and one entry in it: that of {@link #PASID}, for requests that carry none. A function of a guest with
 * tables of its own ({@link NestedSpace}) may have one for each of its PASIDs.
 */
final class PasidTables implements RequesterTables {
    /** RID_PASID; 0 is the one that units without RPS use. */
    static final int PASID = 0;

    private static final long PRESENT = 1;
    private static final long SCALABLE_MODE = 1 << 10;
    private static final long DEVICE_TLB = 1 << 2;
    private static final long PASIDS_ENABLED = 1 << 3;
    private static final long PAGE_REQUESTS = 1 << 4;
    /** PDTS of a directory that fills its frame: 512 entries for 64 PASIDs each. */
    private static final long WHOLE_FRAME = 2 << 9;

    /** PASIDs that such a directory serves. */
    static final int LIMIT = 512 * 64;

    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;
    private static final int CONTEXT_BYTES = 32;

    private static final long ACCESSED_DIRTY = 1 << 9;
    private static final long FIRST_LEVEL = 1 << 6;
    private static final long SECOND_LEVEL = 2 << 6;
    private static final long NESTED = 3 << 6;
    private static final long PASS_THROUGH = 4 << 6;

    private final Memory memory;
    private final FrameSource frames;
    private final boolean firstLevel;
    private final long rootHpa;
    private final Map<Integer, Long> directories = new HashMap<>();
    /** Domain by requester, of those that have second-level tables. */
    private final Map<Integer, Integer> secondLevel = new HashMap<>();
    /** Domains whose entries have SLADE. */
    private final Set<Integer> tracked = new HashSet<>();

    PasidTables(Memory memory, FrameSource frames, boolean firstLevel) {
        this.memory = memory;
        this.frames = frames;
        this.firstLevel = firstLevel;
        this.rootHpa = frames.allocatePage();
    }

    @Override
    public long rootAddress() {
        return rootHpa | SCALABLE_MODE;
    }

    @Override
    public void set(int rid, int domain, int addressWidthCode, long pageTableHpa, boolean deviceTlb) {
        if (firstLevel) {
            publish(rid, FIRST_LEVEL, domain, pageTableHpa, deviceTlb);
        } else {
            secondLevel.put(rid, domain);
            long low = pageTableHpa | SECOND_LEVEL | (long) addressWidthCode << 2;
            publish(rid, tracked.contains(domain) ? low | ACCESSED_DIRTY : low, domain, 0, deviceTlb);
        }
    }

    @Override
    public void setPassThrough(int rid, int domain, int addressWidthCode) {
        publish(rid, PASS_THROUGH | (long) addressWidthCode << 2, domain, 0, false);
    }

    /** The PASID entry first, its word with the present bit last; then the context entry that leads to it. */
    private void publish(int rid, long low, int domain, long firstLevelTable, boolean deviceTlb) {
        long directoryHpa = directory(rid);
        long entryHpa = memory.readLong(directoryHpa) & ADDRESS;
        memory.writeLong(entryHpa + 16, firstLevelTable);
        memory.writeLong(entryHpa + 8, domain);
        memory.storeLongRelease(entryHpa, low | PRESENT);
        long contextHpa = context(rid);
        memory.writeLong(contextHpa + 8, PASID);
        memory.storeLongRelease(contextHpa, directoryHpa | (deviceTlb ? DEVICE_TLB : 0) | PRESENT);
    }

    /** Publishes the context entry of a function with many PASIDs; their entries are made by the methods below. */
    void open(int rid, int requesterPasid, boolean pasids, boolean deviceTlb) {
        long contextHpa = context(rid);
        memory.writeLong(contextHpa + 8, requesterPasid);
        long flags = WHOLE_FRAME | (pasids ? PASIDS_ENABLED : 0) | (deviceTlb ? DEVICE_TLB : 0);
        memory.storeLongRelease(contextHpa, directory(rid) | flags | PRESENT);
    }

    /**
     * Fills an absent entry: first-level tables by guest physical address behind a second-level table.
     *
     * @param firstLevelTable with the flags of the entry's third word
     */
    void setNested(int rid, int pasid, int domain, int addressWidthCode, long pageTableHpa, long firstLevelTable) {
        fill(rid, pasid, pageTableHpa | NESTED | (long) addressWidthCode << 2, domain, firstLevelTable);
    }

    /** Fills an absent entry: a second-level table alone. */
    void setSecondLevel(int rid, int pasid, int domain, int addressWidthCode, long pageTableHpa) {
        fill(rid, pasid, pageTableHpa | SECOND_LEVEL | (long) addressWidthCode << 2, domain, 0);
    }

    private void fill(int rid, int pasid, long low, int domain, long firstLevelTable) {
        long entryHpa = entry(rid, pasid);
        memory.writeLong(entryHpa + 16, firstLevelTable);
        memory.writeLong(entryHpa + 8, domain);
        memory.storeLongRelease(entryHpa, low | PRESENT);
    }

    void clear(int rid, int pasid) {
        memory.storeLongRelease(entry(rid, pasid), 0);
    }

    private long entry(int rid, int pasid) {
        long slotHpa = directory(rid) + 8L * (pasid >>> 6);
        long slot = memory.readLong(slotHpa);
        if ((slot & PRESENT) == 0) {
            slot = frames.allocatePage() | PRESENT;
            memory.storeLongRelease(slotHpa, slot);
        }
        return (slot & ADDRESS) + 64L * (pasid & 0x3F);
    }

    @Override
    public void clear(int rid) {
        secondLevel.remove(rid);
        memory.storeLongRelease(context(rid), 0);
        long entryHpa = memory.readLong(directory(rid)) & ADDRESS;
        memory.storeLongRelease(entryHpa, 0);
        memory.writeLong(entryHpa + 8, 0);
        memory.writeLong(entryHpa + 16, 0);
    }

    /** PRE of a requester that has structures: whether it may ask for absent pages. */
    void setPageRequests(int rid, boolean allowed) {
        long contextHpa = context(rid);
        long low = memory.readLong(contextHpa) & ~PAGE_REQUESTS;
        memory.storeLongRelease(contextHpa, allowed ? low | PAGE_REQUESTS : low);
    }

    /** SLADE of all entries that lead to a domain, now and from now on. */
    void trackDirty(int domain, boolean on) {
        if (on) {
            tracked.add(domain);
        } else {
            tracked.remove(domain);
        }
        secondLevel.forEach((rid, of) -> {
            if (of == domain) {
                long entryHpa = memory.readLong(directory(rid)) & ADDRESS;
                long low = memory.readLong(entryHpa);
                memory.storeLongRelease(entryHpa, on ? low | ACCESSED_DIRTY : low & ~ACCESSED_DIRTY);
            }
        });
    }

    /** A directory of 128 entries, of which the first leads to a table. */
    private long directory(int rid) {
        return directories.computeIfAbsent(rid, unseen -> {
            long directoryHpa = frames.allocatePage();
            memory.storeLongRelease(directoryHpa, frames.allocatePage() | PRESENT);
            return directoryHpa;
        });
    }

    /** Half of a bus has a context table: 128 functions. */
    private long context(int rid) {
        int devfn = RequesterId.devfn(rid);
        long halfHpa = rootHpa + 16L * RequesterId.bus(rid) + 8L * (devfn >>> 7);
        long half = memory.readLong(halfHpa);
        if ((half & PRESENT) == 0) {
            half = frames.allocatePage() | PRESENT;
            memory.storeLongRelease(halfHpa, half);
        }
        return (half & ADDRESS) + (long) (devfn & 0x7F) * CONTEXT_BYTES;
    }
}

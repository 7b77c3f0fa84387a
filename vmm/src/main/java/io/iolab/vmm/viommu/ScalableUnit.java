package io.iolab.vmm.viommu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FrameSource;
import java.util.HashMap;
import java.util.Map;

/**
 * Software for a unit in scalable mode, as small as it can be: a PASID directory for each function, in which PASID 0 is that of its
 * requests without PASID (RID_PASID 0), and a queue of 256-bit descriptors in one frame (VT-d 6.5.2, 9.2, 9.4 to 9.6). Each change returns
 * when the unit has forgotten what was before.
 */
final class ScalableUnit {
    private static final int ECAP = 0x10;
    private static final int GCMD = 0x18;
    private static final int GSTS = 0x1C;
    private static final int RTADDR = 0x20;
    private static final int IQT = 0x88;
    private static final int IQA = 0x90;
    private static final int STEADY = 0x96FF_FFFF;
    private static final int TRANSLATION = 1 << 31;
    private static final int ROOT_POINTER = 1 << 30;
    private static final int QUEUE = 1 << 26;
    private static final int SCALABLE = 1 << 10;
    private static final int WIDE = 1 << 11;

    private static final int QUEUE_BYTES = 4096;
    private static final int DESCRIPTOR = 32;
    private static final int CONTEXT = 1;
    private static final int IOTLB = 2;
    private static final int WAIT = 5 | 1 << 5;
    private static final int PASID_IOTLB = 6;
    private static final int PASID_CACHE = 7;
    private static final int DONE = 2;
    private static final long PRESENT = 1;
    private static final long PASIDS = 1L << 40;
    private static final long PASID_ENABLE = 1 << 3;
    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;

    private final CpuPort cpu;
    private final long base;
    private final Memory memory;
    private final FrameSource frames;
    private final long root;
    private final long queue;
    private final long status;
    private final long pasidEnable;
    private final Map<Integer, Long> directories = new HashMap<>();
    private int tail;

    ScalableUnit(CpuPort cpu, long base, Memory memory, FrameSource frames) {
        this.cpu = cpu;
        this.base = base;
        this.memory = memory;
        this.frames = frames;
        pasidEnable = (cpu.load(base + ECAP, 8) & PASIDS) != 0 ? PASID_ENABLE : 0;
        root = frames.allocatePage();
        queue = frames.allocatePage();
        status = frames.allocatePage();
    }

    /** Takes a unit that is off and turns it on: no function reaches anything. */
    void enable() {
        cpu.store(base + IQT, 8, 0);
        cpu.store(base + IQA, 8, queue | WIDE);
        command(QUEUE);
        cpu.store(base + RTADDR, 8, root | SCALABLE);
        command(ROOT_POINTER);
        submit(CONTEXT | 1 << 4, 0);
        submit(PASID_CACHE | 3 << 4, 0);
        submit(IOTLB | 1 << 4, 0);
        command(TRANSLATION);
    }

    private void command(int bit) {
        cpu.store32(base + GCMD, cpu.load32(base + GSTS) & STEADY | bit);
        if ((cpu.load32(base + GSTS) & bit) == 0) {
            throw new IllegalStateException("remapping unit does not follow command 0x" + Integer.toHexString(bit));
        }
    }

    /**
     * Sets a PASID entry of a function, or with a first word of 0 takes it away.
     *
     * @param pasid 13 bits
     */
    void set(int rid, int pasid, int domain, long word0, long word1, long word2) {
        long entry = entry(rid, pasid);
        int before = (int) memory.readLong(entry + 8) & 0xFFFF;
        memory.storeLongRelease(entry, 0);
        forget(before, pasid);
        memory.writeLong(entry + 8, word1 & ~0xFFFFL | domain);
        memory.writeLong(entry + 16, word2);
        memory.storeLongRelease(entry, word0);
        forget(domain, pasid);
    }

    /** PASID entries before what was translated with them (VT-d 6.5.3.1). */
    private void forget(int domain, int pasid) {
        submit(PASID_CACHE | 1 << 4 | (long) domain << 16 | (long) pasid << 32, 0);
        invalidateAll(domain, pasid);
    }

    private long entry(int rid, int pasid) {
        long slot = directories.computeIfAbsent(rid, this::makeDirectory) + 8L * (pasid >>> 6);
        if ((memory.readLong(slot) & PRESENT) == 0) {
            memory.storeLongRelease(slot, frames.allocatePage() | PRESENT);
        }
        return (memory.readLong(slot) & ADDRESS) + 64L * (pasid & 0x3F);
    }

    private long makeDirectory(int rid) {
        long half = root + (long) (rid >>> 8) * 16 + (rid >>> 7 & 1) * 8L;
        if ((memory.readLong(half) & PRESENT) == 0) {
            memory.storeLongRelease(half, frames.allocatePage() | PRESENT);
        }
        long context = (memory.readLong(half) & ADDRESS) + (rid & 0x7F) * 32L;
        long directory = frames.allocatePage();
        memory.storeLongRelease(context, directory | pasidEnable | PRESENT);
        submit(CONTEXT | 3 << 4 | (long) rid << 32, 0);
        return directory;
    }

    /** Everything that was translated for a domain under a PASID. */
    void invalidateAll(int domain, int pasid) {
        submit(PASID_IOTLB | 2 << 4 | (long) domain << 16 | (long) pasid << 32, 0);
    }

    /** A block of 2^{@code addressMask} pages at {@code iova}. */
    void invalidatePages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {
        long low = PASID_IOTLB | 3 << 4 | (long) domain << 16 | (long) pasid << 32;
        submit(low, iova & ~0xFFFL | (leafOnly ? 1 << 6 : 0) | addressMask);
    }

    /** With a wait behind it, and one doorbell for both. */
    private void submit(long low, long high) {
        memory.storeIntRelease(status, 1);
        put(low, high);
        put(WAIT | (long) DONE << 32, status);
        cpu.store(base + IQT, 8, tail);
        if (memory.loadIntAcquire(status) != DONE) {
            throw new IllegalStateException("remapping unit did not carry out 0x" + Long.toHexString(low));
        }
    }

    private void put(long low, long high) {
        memory.writeLong(queue + tail + 8, high);
        memory.writeLong(queue + tail + 16, 0);
        memory.writeLong(queue + tail + 24, 0);
        memory.storeLongRelease(queue + tail, low);
        tail = tail + DESCRIPTOR & QUEUE_BYTES - 1;
    }
}

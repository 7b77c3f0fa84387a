package io.iolab.vmm.memory;

import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.PhysicalMemory;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The host's frame allocator. Memory is cut into 2 MiB blocks; a block is free, or one large frame, or carved into 4 KiB
 * frames, and becomes free again when the last of them returns. Small frames go to blocks that are carved already, so that
 * large ones stay available. Every frame is handed out zeroed: what a former owner, or a stray DMA, left in it is gone.
 *
 * <p>Frame 0 is never handed out, so an address of 0 in a table can only be a mistake; nor is the large frame that holds it.
 *
 * <p>Threading: any thread; allocation is locked and belongs to set-up and to mapping, not to the packet path.
 */
public final class HostFrames {
    private static final int SMALL_PER_BLOCK = (int) (AddressRange.LARGE_PAGE_SIZE / AddressRange.PAGE_SIZE);
    private static final int WORDS_PER_BLOCK = SMALL_PER_BLOCK / Long.SIZE;
    private static final int LARGE = -1;

    private final PhysicalMemory memory;
    private final @Nullable SplittableRandom scatter;
    /** Of each block: the number of small frames in use, or {@link #LARGE}. The last block may be short. */
    private final int[] used;
    /** A bit per small frame: 1 in use, or beyond the end of memory. */
    private final long[] taken;

    private final int largeBlocks;
    private long freeBytes;
    /** No block below it has a free small frame in a carved block. */
    private int smallHint;

    /** An allocator over all of {@code memory}, lowest address first. */
    public HostFrames(PhysicalMemory memory) {
        this(memory, null);
    }

    private HostFrames(PhysicalMemory memory, @Nullable SplittableRandom scatter) {
        this.memory = memory;
        this.scatter = scatter;
        long size = memory.size();
        int blocks = Math.toIntExact((size + AddressRange.LARGE_PAGE_SIZE - 1) / AddressRange.LARGE_PAGE_SIZE);
        used = new int[blocks];
        taken = new long[blocks * WORDS_PER_BLOCK];
        largeBlocks = (int) (size / AddressRange.LARGE_PAGE_SIZE);
        freeBytes = size - AddressRange.PAGE_SIZE;
        markTaken(0);
        used[0] = 1;
        for (int frame = (int) (size / AddressRange.PAGE_SIZE); frame < blocks * SMALL_PER_BLOCK; frame++) {
            markTaken(frame);
            used[frame / SMALL_PER_BLOCK]++;
        }
    }

    /**
     * An allocator that picks large frames at random places, as a host that has run for a while does: neighbours in a
     * guest's physical memory are then not neighbours in the host's. The same seed gives the same places.
     */
    public static HostFrames scattered(PhysicalMemory memory, long seed) {
        return new HostFrames(memory, new SplittableRandom(seed));
    }

    /** The memory that the frames are part of. */
    public PhysicalMemory memory() {
        return memory;
    }

    /**
     * A zeroed 4 KiB frame.
     *
     * @return its hpa, 4 KiB-aligned, never 0
     * @throws HostMemoryException if none is left
     */
    public synchronized long allocate() {
        int block = blockForSmall();
        if (block < 0) {
            throw exhausted(AddressRange.PAGE_SIZE);
        }
        int frame = firstFree(block);
        markTaken(frame);
        used[block]++;
        return handOut((long) frame * AddressRange.PAGE_SIZE, AddressRange.PAGE_SIZE);
    }

    /**
     * A zeroed 2 MiB frame.
     *
     * @return its hpa, 2 MiB-aligned, never 0
     * @throws HostMemoryException if no whole one is left
     */
    public synchronized long allocateLarge() {
        int start = scatter == null ? 0 : scatter.nextInt(Math.max(1, largeBlocks));
        for (int i = 0; i < largeBlocks; i++) {
            int block = (start + i) % largeBlocks;
            if (used[block] == 0) {
                used[block] = LARGE;
                return handOut(block * AddressRange.LARGE_PAGE_SIZE, AddressRange.LARGE_PAGE_SIZE);
            }
        }
        throw exhausted(AddressRange.LARGE_PAGE_SIZE);
    }

    private long handOut(long hpa, long size) {
        freeBytes -= size;
        memory.fill(hpa, size, (byte) 0);
        return hpa;
    }

    /**
     * Takes back a 4 KiB frame.
     *
     * @throws IllegalArgumentException if {@code hpa} is not one that is handed out
     */
    public synchronized void free(long hpa) {
        long frame = hpa >>> AddressRange.PAGE_SHIFT;
        boolean known = (hpa & AddressRange.PAGE_SIZE - 1) == 0
                && frame > 0
                && frame < memory.size() / AddressRange.PAGE_SIZE
                && (taken[(int) (frame >>> 6)] & 1L << frame) != 0;
        if (!known) {
            throw notHandedOut(hpa, AddressRange.PAGE_SIZE);
        }
        int block = (int) (frame / SMALL_PER_BLOCK);
        taken[(int) (frame >>> 6)] &= ~(1L << frame);
        used[block]--;
        freeBytes += AddressRange.PAGE_SIZE;
        smallHint = Math.min(smallHint, block);
    }

    /**
     * Takes back a 2 MiB frame.
     *
     * @throws IllegalArgumentException if {@code hpa} is not one that is handed out
     */
    public synchronized void freeLarge(long hpa) {
        long block = hpa / AddressRange.LARGE_PAGE_SIZE;
        if (hpa < 0 || hpa % AddressRange.LARGE_PAGE_SIZE != 0 || block >= largeBlocks || used[(int) block] != LARGE) {
            throw notHandedOut(hpa, AddressRange.LARGE_PAGE_SIZE);
        }
        used[(int) block] = 0;
        freeBytes += AddressRange.LARGE_PAGE_SIZE;
    }

    /** Bytes not handed out; not all of them need be available as large frames. */
    public synchronized long freeBytes() {
        return freeBytes;
    }

    /** Large frames that could be handed out now. */
    public synchronized int freeLargeFrames() {
        return (int) Arrays.stream(used, 0, largeBlocks).filter(n -> n == 0).count();
    }

    /** A carved block with room, else a free one, else -1. */
    private int blockForSmall() {
        for (int block = smallHint; block < used.length; block++) {
            if (used[block] > 0 && used[block] < SMALL_PER_BLOCK) {
                smallHint = block;
                return block;
            }
        }
        smallHint = used.length;
        for (int block = 0; block < used.length; block++) {
            if (used[block] == 0) {
                smallHint = block;
                return block;
            }
        }
        return -1;
    }

    private int firstFree(int block) {
        for (int word = block * WORDS_PER_BLOCK; word < (block + 1) * WORDS_PER_BLOCK; word++) {
            if (taken[word] != -1) {
                return word * Long.SIZE + Long.numberOfTrailingZeros(~taken[word]);
            }
        }
        throw new IllegalStateException("block " + block + " counts " + used[block] + " frames but has none free");
    }

    private void markTaken(int frame) {
        taken[frame >>> 6] |= 1L << frame;
    }

    private HostMemoryException exhausted(long wanted) {
        return new HostMemoryException(
                "no free host frame of " + kib(wanted) + ": " + kib(freeBytes) + " of " + kib(memory.size())
                        + " are free, in " + freeLargeFrames() + " whole frames of 2048 KiB and parts of others");
    }

    private static String kib(long bytes) {
        return bytes / 1024 + " KiB";
    }

    private static IllegalArgumentException notHandedOut(long hpa, long size) {
        return new IllegalArgumentException(
                "hpa 0x" + Long.toHexString(hpa) + " is not a frame of " + kib(size) + " in use");
    }
}

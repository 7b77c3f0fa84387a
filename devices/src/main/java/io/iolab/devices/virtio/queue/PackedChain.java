package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.memory.AddressRange;
import org.jspecify.annotations.Nullable;

/**
 * Walks a list of packed descriptors that has been fetched and measured (virtio 1.2 sections 2.8.5 to 2.8.7), or the one
 * indirect table that a list of one descriptor may refer to. A table's entries are consecutive and say nothing but WRITE; it is
 * fetched {@value #WINDOW} entries at a time.
 */
final class PackedChain implements DescriptorChain {
    private static final int DESCRIPTOR = PackedQueue.DESCRIPTOR;
    private static final int WINDOW = 32;
    private static final long MAX_BYTES = 1L << 32;
    private static final long LENGTH_MASK = 0xFFFF_FFFFL;
    private static final long WRITABLE = (long) PackedQueue.WRITE << PackedQueue.FLAGS_SHIFT;
    private static final long REFERS = (long) PackedQueue.INDIRECT << PackedQueue.FLAGS_SHIFT;

    /** Nothing to come, since the walk met a fault. */
    private static final int FAULTED = -1;

    /** One descriptor to come, the only one of its list: it is in {@link #iova} and {@link #rest} already. */
    private static final int ALONE = -2;

    private final DmaPort dma;
    private final byte[] ring;
    private final int size;
    private final boolean indirectAllowed;
    private final byte[] fetched = new byte[DESCRIPTOR * WINDOW];
    private final RingHealth health;

    private int slot;

    /** Descriptors to come, or one of the two below. */
    private int remaining;

    private boolean inIndirect;
    private long indirectIova;
    /** Next entry of the indirect table in {@link #fetched}, and how many are there. */
    private int windowAt;

    private int windowEntries;
    private long bytes;

    /** The last descriptor: address, and length, id and flags; no flag is set before the first. */
    private long iova;

    private long rest;

    private long descriptors;

    PackedChain(DmaPort dma, byte[] ring, int size, boolean indirectAllowed, RingHealth health) {
        this.health = health;
        this.dma = dma;
        this.ring = ring;
        this.size = size;
        this.indirectAllowed = indirectAllowed;
    }

    /** A list of one descriptor, which is what nearly all are. */
    void startAlone(long onlyIova, long onlyRest) {
        iova = onlyIova;
        rest = onlyRest;
        remaining = ALONE;
    }

    /** @param count at least 2 */
    void start(int firstSlot, int count) {
        slot = firstSlot;
        remaining = count;
        inIndirect = false;
        rest = 0;
        bytes = 0;
    }

    long descriptors() {
        return descriptors;
    }

    /** Whether the walk is over and found nothing to write into. */
    boolean onlyReadable() {
        return remaining == 0 && !writable();
    }

    @Override
    public Step next() {
        if (remaining == ALONE) {
            descriptors++;
            if ((rest & REFERS) != 0) {
                return enterIndirect();
            }
            remaining = 0;
            return AddressRange.wraps(iova, length()) ? fail(RingFault.TOO_LONG) : Step.DESCRIPTOR;
        }
        if (remaining <= 0) {
            return remaining == 0 ? Step.END : Step.FAULT;
        }
        return inIndirect ? nextEntry() : nextInRing();
    }

    private Step nextInRing() {
        int at = DESCRIPTOR * slot;
        long word = LittleEndian.getLong(ring, at + PackedQueue.LENGTH);
        descriptors++;
        if ((word & REFERS) != 0) {
            return fail(RingFault.INDIRECT_MISUSED);
        }
        slot = slot == size - 1 ? 0 : slot + 1;
        return accept(LittleEndian.getLong(ring, at), word);
    }

    /** @param word length, id and flags */
    private Step accept(long nextIova, long word) {
        boolean writableBefore = writable();
        remaining--;
        iova = nextIova;
        rest = word;
        if (writableBefore && !writable()) {
            return fail(RingFault.READABLE_AFTER_WRITABLE);
        }
        bytes += length();
        return bytes > MAX_BYTES || AddressRange.wraps(iova, length()) ? fail(RingFault.TOO_LONG) : Step.DESCRIPTOR;
    }

    /** The WRITE flag of the referring descriptor is ignored. A list may be no longer than the queue (section 2.8.5). */
    private Step enterIndirect() {
        if (!indirectAllowed) {
            return fail(RingFault.INDIRECT_MISUSED);
        }
        long tableBytes = length();
        if (tableBytes == 0 || tableBytes % DESCRIPTOR != 0) {
            return fail(RingFault.INDIRECT_LENGTH);
        }
        indirectIova = iova;
        if (AddressRange.wraps(indirectIova, tableBytes)) {
            return fail(RingFault.TOO_LONG);
        }
        if (tableBytes / DESCRIPTOR > size) {
            return fail(RingFault.CHAIN_LOOP);
        }
        remaining = (int) (tableBytes / DESCRIPTOR);
        inIndirect = true;
        rest = 0;
        bytes = 0;
        windowAt = 0;
        windowEntries = 0;
        return nextEntry();
    }

    private Step nextEntry() {
        if (windowAt == windowEntries) {
            windowAt = 0;
            windowEntries = Math.min(remaining, WINDOW);
            int tableBytes = DESCRIPTOR * windowEntries;
            if (dma.read(indirectIova, fetched, 0, tableBytes, DmaKind.DESCRIPTOR) != DmaFault.NONE) {
                return fail(RingFault.UNREACHABLE);
            }
            indirectIova += tableBytes;
        }
        int at = DESCRIPTOR * windowAt++;
        descriptors++;
        return accept(LittleEndian.getLong(fetched, at), LittleEndian.getLong(fetched, at + PackedQueue.LENGTH));
    }

    private Step fail(RingFault cause) {
        remaining = FAULTED;
        health.report(cause);
        return Step.FAULT;
    }

    @Override
    public long iova() {
        return iova;
    }

    @Override
    public long length() {
        return rest & LENGTH_MASK;
    }

    @Override
    public boolean writable() {
        return (rest & WRITABLE) != 0;
    }

    @Override
    public @Nullable RingFault fault() {
        return health.fault();
    }
}

package io.iolab.devices.virtio.queue;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RingFault;
import io.iolab.devices.memory.AddressRange;
import org.jspecify.annotations.Nullable;

/**
 * Walks a chain of 16-byte split descriptors: address (8), length (4), flags (2), next (2) (virtio 1.2 section 2.7.5). The
 * walk starts in the descriptor table and may end in one indirect table, which is fetched {@value #WINDOW} entries at a time.
 */
final class SplitChain implements DescriptorChain {
    private static final int DESCRIPTOR_BYTES = 16;
    private static final int LENGTH = 8;
    private static final int FLAGS = 12;
    private static final int NEXT_INDEX = 14;

    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int INDIRECT = 4;

    /** No further descriptor. */
    private static final int NONE = -1;

    private static final int WINDOW = 32;
    private static final long MAX_BYTES = 1L << 32;

    private final DmaPort dma;
    private final long tableIova;
    private final int size;
    private final boolean indirectAllowed;
    private final byte[] fetched = new byte[DESCRIPTOR_BYTES * WINDOW];

    private int head;
    private int nextIndex = NONE;
    private int walked;
    private boolean writableSeen;
    private long bytes;
    private boolean inIndirect;
    private long indirectIova;
    private long indirectEntries;
    /** First entry of the indirect table in {@link #fetched}, and how many are there. */
    private int windowStart;

    private int windowEntries;

    private long iova;
    private long length;
    private boolean writable;
    private long descriptors;
    private @Nullable RingFault fault;

    SplitChain(DmaPort dma, long tableIova, int size, boolean indirectAllowed) {
        this.dma = dma;
        this.tableIova = tableIova;
        this.size = size;
        this.indirectAllowed = indirectAllowed;
    }

    /** @param head below the queue size */
    void start(int head) {
        this.head = head;
        nextIndex = head;
        walked = 0;
        writableSeen = false;
        bytes = 0;
        inIndirect = false;
    }

    int head() {
        return head;
    }

    long descriptors() {
        return descriptors;
    }

    /** Whether the walk is over and found nothing to write into. */
    boolean onlyReadable() {
        return nextIndex == NONE && !writableSeen && fault == null;
    }

    @Override
    public Step next() {
        if (fault != null) {
            return Step.FAULT;
        }
        if (nextIndex == NONE) {
            return Step.END;
        }
        int at = fetch(nextIndex);
        if (at < 0) {
            return fail(RingFault.UNREACHABLE);
        }
        int flags = LittleEndian.getShort(fetched, at + FLAGS);
        if ((flags & INDIRECT) != 0) {
            return enterIndirect(at, flags);
        }
        // A chain of more descriptors than the queue has loops (section 2.7.5.2); an indirect table counts its own
        // entries.
        if (++walked > size) {
            return fail(RingFault.CHAIN_LOOP);
        }
        descriptors++;
        return accept(at, flags);
    }

    private Step accept(int at, int flags) {
        iova = LittleEndian.getLong(fetched, at);
        length = LittleEndian.getInt(fetched, at + LENGTH) & 0xFFFF_FFFFL;
        writable = (flags & WRITE) != 0;
        if (writableSeen && !writable) {
            return fail(RingFault.READABLE_AFTER_WRITABLE);
        }
        writableSeen = writable;
        bytes += length;
        if (bytes > MAX_BYTES || AddressRange.wraps(iova, length)) {
            return fail(RingFault.TOO_LONG);
        }
        if ((flags & NEXT) == 0) {
            nextIndex = NONE;
            return Step.DESCRIPTOR;
        }
        nextIndex = LittleEndian.getShort(fetched, at + NEXT_INDEX);
        return nextIndex < (inIndirect ? indirectEntries : size) ? Step.DESCRIPTOR : fail(RingFault.INDEX_OUT_OF_RANGE);
    }

    /** The WRITE flag of the referring descriptor is ignored (section 2.7.5.3.2). */
    private Step enterIndirect(int at, int flags) {
        if (!indirectAllowed || inIndirect || (flags & NEXT) != 0) {
            return fail(RingFault.INDIRECT_MISUSED);
        }
        long tableBytes = LittleEndian.getInt(fetched, at + LENGTH) & 0xFFFF_FFFFL;
        if (tableBytes == 0 || tableBytes % DESCRIPTOR_BYTES != 0) {
            return fail(RingFault.INDIRECT_LENGTH);
        }
        indirectIova = LittleEndian.getLong(fetched, at);
        if (AddressRange.wraps(indirectIova, tableBytes)) {
            return fail(RingFault.TOO_LONG);
        }
        descriptors++;
        indirectEntries = tableBytes / DESCRIPTOR_BYTES;
        inIndirect = true;
        windowEntries = 0;
        nextIndex = 0;
        return next();
    }

    /** Brings a descriptor into {@link #fetched}; its offset there, or -1 if it is out of reach. */
    private int fetch(int index) {
        if (!inIndirect) {
            return read(tableIova + (long) DESCRIPTOR_BYTES * index, 1) ? 0 : -1;
        }
        if (index < windowStart || index >= windowStart + windowEntries) {
            windowStart = index;
            windowEntries = (int) Math.min(indirectEntries - index, Math.min(WINDOW, size));
            if (!read(indirectIova + (long) DESCRIPTOR_BYTES * index, windowEntries)) {
                return -1;
            }
        }
        return DESCRIPTOR_BYTES * (index - windowStart);
    }

    private boolean read(long descriptorIova, int count) {
        return dma.read(descriptorIova, fetched, 0, DESCRIPTOR_BYTES * count, DmaKind.DESCRIPTOR) == DmaFault.NONE;
    }

    private Step fail(RingFault cause) {
        fault = cause;
        return Step.FAULT;
    }

    @Override
    public long iova() {
        return iova;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public boolean writable() {
        return writable;
    }

    @Override
    public @Nullable RingFault fault() {
        return fault;
    }
}

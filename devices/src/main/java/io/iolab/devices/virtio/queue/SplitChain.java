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

    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int INDIRECT = 4;

    /** No further descriptor. */
    private static final int NONE = -1;

    /** The walk met a fault. */
    private static final int FAULTED = -2;

    /** Of flags and next in the word that begins with the length. */
    private static final int FLAGS_SHIFT = 32;

    private static final int NEXT_SHIFT = 48;
    private static final long LENGTH_MASK = 0xFFFF_FFFFL;

    private static final int WINDOW = 32;
    private static final int TABLE = DESCRIPTOR_BYTES * WINDOW;
    private static final long MAX_BYTES = 1L << 32;

    private final DmaPort dma;
    private final long tableIova;
    private final int size;
    private final boolean indirectAllowed;

    /** The descriptors in hand: of an indirect table or, at the start, one of the table; from TABLE on, those read ahead. */
    private final byte[] fetched;

    /** Descriptors of the table that were read ahead: from the first up to the end. */
    private int aheadStart;

    private int aheadEnd;

    private int head;
    private int nextIndex = NONE;
    private int followed;
    private long bytes;
    private boolean inIndirect;
    private long indirectIova;
    private long indirectEntries;
    /** First entry of the indirect table in {@link #fetched}, and how many are there. */
    private int windowStart;

    private int windowEntries;

    private long iova;
    private long length;

    /** Of the last descriptor; false before the first. */
    private boolean writable;

    private long descriptors;
    private final RingHealth health;

    SplitChain(DmaPort dma, long tableIova, int size, boolean indirectAllowed, RingHealth health) {
        this.health = health;
        this.dma = dma;
        this.tableIova = tableIova;
        this.size = size;
        this.indirectAllowed = indirectAllowed;
        this.fetched = new byte[TABLE + DESCRIPTOR_BYTES * size];
    }

    /** Whether a descriptor of the table was read ahead. */
    boolean hasAhead(int index) {
        return index >= aheadStart && index < aheadEnd;
    }

    /** What was read ahead may be out of date. */
    void forgetAhead() {
        aheadEnd = aheadStart;
    }

    /**
     * Reads descriptors of the table with one request. All of them must be first descriptors of chains that are available: those do
     * not change before they are used.
     */
    void readAhead(int index, int count) {
        aheadStart = index;
        int length = DESCRIPTOR_BYTES * count;
        DmaFault outcome = dma.read(
                tableIova + (long) DESCRIPTOR_BYTES * index,
                fetched,
                TABLE + DESCRIPTOR_BYTES * index,
                length,
                DmaKind.DESCRIPTOR);
        // Out of reach: whoever needs one of them reads it alone, and finds out.
        aheadEnd = outcome == DmaFault.NONE ? index + count : index;
    }

    /** @param head below the queue size */
    void start(int head) {
        this.head = head;
        nextIndex = head;
        followed = 0;
        writable = false;
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
        return nextIndex == NONE && !writable;
    }

    @Override
    public Step next() {
        if (nextIndex < 0) {
            return nextIndex == NONE ? Step.END : Step.FAULT;
        }
        int at = fetch(nextIndex);
        if (at < 0) {
            return fail(RingFault.UNREACHABLE);
        }
        long rest = LittleEndian.getLong(fetched, at + LENGTH);
        if ((rest & (long) INDIRECT << FLAGS_SHIFT) != 0) {
            return enterIndirect(LittleEndian.getLong(fetched, at), rest);
        }
        // A chain of more descriptors than the queue has loops (section 2.7.5.2); an indirect table counts its own
        // entries.
        if (followed >= size) {
            return fail(RingFault.CHAIN_LOOP);
        }
        descriptors++;
        return accept(LittleEndian.getLong(fetched, at), rest);
    }

    /** @param rest length, flags and next */
    private Step accept(long firstIova, long rest) {
        boolean writableBefore = writable;
        iova = firstIova;
        length = rest & LENGTH_MASK;
        writable = (rest & (long) WRITE << FLAGS_SHIFT) != 0;
        if (writableBefore && !writable) {
            return fail(RingFault.READABLE_AFTER_WRITABLE);
        }
        bytes += length;
        if (bytes > MAX_BYTES || AddressRange.wraps(iova, length)) {
            return fail(RingFault.TOO_LONG);
        }
        if ((rest & (long) NEXT << FLAGS_SHIFT) == 0) {
            nextIndex = NONE;
            return Step.DESCRIPTOR;
        }
        followed++;
        nextIndex = (int) (rest >>> NEXT_SHIFT);
        return nextIndex < (inIndirect ? indirectEntries : size) ? Step.DESCRIPTOR : fail(RingFault.INDEX_OUT_OF_RANGE);
    }

    /** The WRITE flag of the referring descriptor is ignored (section 2.7.5.3.2). */
    private Step enterIndirect(long entriesIova, long rest) {
        if (!indirectAllowed || inIndirect || (rest & (long) NEXT << FLAGS_SHIFT) != 0) {
            return fail(RingFault.INDIRECT_MISUSED);
        }
        long tableBytes = rest & LENGTH_MASK;
        if (tableBytes == 0 || tableBytes % DESCRIPTOR_BYTES != 0) {
            return fail(RingFault.INDIRECT_LENGTH);
        }
        indirectIova = entriesIova;
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
            if (hasAhead(index)) {
                return TABLE + DESCRIPTOR_BYTES * index;
            }
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
        nextIndex = FAULTED;
        health.report(cause);
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
        return health.fault();
    }
}

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

    private final DmaPort dma;
    private final byte[] ring;
    private final int size;
    private final boolean indirectAllowed;
    private final byte[] fetched = new byte[DESCRIPTOR * WINDOW];

    private int slot;
    private int remaining;
    private boolean alone;
    private boolean inIndirect;
    private long indirectIova;
    /** Next entry of the indirect table in {@link #fetched}, and how many are there. */
    private int windowAt;

    private int windowEntries;
    private boolean writableSeen;
    private long bytes;

    private long iova;
    private long length;
    private boolean writable;
    private long descriptors;
    private @Nullable RingFault fault;

    PackedChain(DmaPort dma, byte[] ring, int size, boolean indirectAllowed) {
        this.dma = dma;
        this.ring = ring;
        this.size = size;
        this.indirectAllowed = indirectAllowed;
    }

    void start(int firstSlot, int count) {
        slot = firstSlot;
        remaining = count;
        alone = count == 1;
        inIndirect = false;
        writableSeen = false;
        bytes = 0;
    }

    long descriptors() {
        return descriptors;
    }

    /** Whether the walk is over and found nothing to write into. */
    boolean onlyReadable() {
        return remaining == 0 && !writableSeen && fault == null;
    }

    @Override
    public Step next() {
        if (fault != null) {
            return Step.FAULT;
        }
        if (remaining == 0) {
            return Step.END;
        }
        if (inIndirect) {
            return nextEntry();
        }
        int at = DESCRIPTOR * slot;
        int flags = LittleEndian.getShort(ring, at + PackedQueue.FLAGS);
        descriptors++;
        if ((flags & PackedQueue.INDIRECT) != 0) {
            return enterIndirect(at);
        }
        slot = slot == size - 1 ? 0 : slot + 1;
        return accept(ring, at, flags);
    }

    private Step accept(byte[] table, int at, int flags) {
        remaining--;
        iova = LittleEndian.getLong(table, at);
        length = LittleEndian.getInt(table, at + PackedQueue.LENGTH) & 0xFFFF_FFFFL;
        writable = (flags & PackedQueue.WRITE) != 0;
        if (writableSeen && !writable) {
            return fail(RingFault.READABLE_AFTER_WRITABLE);
        }
        writableSeen = writable;
        bytes += length;
        return bytes > MAX_BYTES || AddressRange.wraps(iova, length) ? fail(RingFault.TOO_LONG) : Step.DESCRIPTOR;
    }

    /** The WRITE flag of the referring descriptor is ignored. A list may be no longer than the queue (section 2.8.5). */
    private Step enterIndirect(int at) {
        if (!indirectAllowed || !alone) {
            return fail(RingFault.INDIRECT_MISUSED);
        }
        long tableBytes = LittleEndian.getInt(ring, at + PackedQueue.LENGTH) & 0xFFFF_FFFFL;
        if (tableBytes == 0 || tableBytes % DESCRIPTOR != 0) {
            return fail(RingFault.INDIRECT_LENGTH);
        }
        indirectIova = LittleEndian.getLong(ring, at);
        if (AddressRange.wraps(indirectIova, tableBytes)) {
            return fail(RingFault.TOO_LONG);
        }
        if (tableBytes / DESCRIPTOR > size) {
            return fail(RingFault.CHAIN_LOOP);
        }
        remaining = (int) (tableBytes / DESCRIPTOR);
        inIndirect = true;
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
        return accept(fetched, at, LittleEndian.getShort(fetched, at + PackedQueue.FLAGS));
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

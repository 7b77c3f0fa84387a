package io.iolab.devices.e1000;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.register.RegisterFile;

/**
 * One receive ring (82540 SDM 3.2; 82574 datasheet 7.1). Hardware owns the descriptors from RDH up to, not including, RDT. They
 * are fetched in blocks of up to sixteen, filled in place and written back in runs. Payload is written at once; a run ends when
 * the block does, or with {@link #flush}, which the owner's poll brings about.
 *
 * <p>Order: payload, then the run with the DD bit of its first descriptor still clear, then that bit with release order. A
 * driver looks at descriptors in ring order, so it sees nothing of a run before all of it is there; RDH and interrupts follow.
 */
final class ReceiveQueue {
    /** How descriptors look. */
    enum Layout {
        LEGACY(1, 12),
        EXTENDED(1, 8),
        /** 32 bytes: four buffers, headers apart from data. */
        SPLIT(2, 8);

        /** Size in units of 16 bytes, in which RDH and RDT count. */
        final int units;

        final int statusOffset;

        Layout(int units, int statusOffset) {
            this.units = units;
            this.statusOffset = statusOffset;
        }
    }

    private static final int UNIT = 16;
    private static final int BLOCK = 16;
    /** Descriptors that one frame may take: 64 of the smallest size hold the largest, and some may have no buffer. */
    private static final int MAX_DESCRIPTORS = 128;

    private final RegisterFile registers;
    private final int distance;
    private final DmaPort dma;
    private final E1000Counters counters;
    private final SplitBuffers split;
    private final byte[] block = new byte[BLOCK * UNIT];

    private Layout layout = Layout.LEGACY;
    private int bufferSize = 2048;
    private int fetched;
    private int next;
    private int runStart;
    private long ringIova;
    private int ringSize;
    /** The descriptor that is filled next; RDH follows when it has been written back. */
    private int head;

    private int published;
    private boolean stalled;
    /** The ring was programmed anew since {@link #put} began: a receive buffer may be a register of this device. */
    private boolean reprogrammed;

    private boolean completed;

    ReceiveQueue(Core core, int index, DmaPort dma) {
        this.registers = core.registers();
        this.distance = index * E1000Registers.QUEUE_STRIDE;
        this.dma = dma;
        this.counters = core.counters();
        this.split = new SplitBuffers(dma);
        registers.onRead(E1000Registers.RDH + distance, () -> published);
        registers.onWrite(E1000Registers.RDH + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.RDBAL + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.RDBAH + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.RDLEN + distance, (written, previous) -> ringChanged());
        registers.onWrite(E1000Registers.RDT + distance, (written, previous) -> doorbell());
    }

    void reset() {
        ringSize = 0;
        head = 0;
        published = 0;
        forget();
    }

    private void forget() {
        reprogrammed = true;
        fetched = 0;
        next = 0;
        runStart = 0;
        stalled = false;
        completed = false;
    }

    private void ringChanged() {
        ringIova = registers.get64(E1000Registers.RDBAL + distance);
        ringSize = registers.get(E1000Registers.RDLEN + distance) / UNIT;
        head = registers.get(E1000Registers.RDH + distance);
        published = head;
        forget();
    }

    private void doorbell() {
        stalled = false;
        if (head >= ringSize || tail() >= ringSize) {
            counters.ringFaults++;
        }
    }

    /** Follows RCTL, RFCTL and PSRCTL; what was fetched in another layout is fetched again. */
    void configure(Layout wanted, int size, int psrctl) {
        bufferSize = size;
        split.configure(psrctl);
        if (wanted != layout) {
            flush();
            layout = wanted;
            reprogrammed = true;
            fetched = 0;
            next = 0;
            runStart = 0;
        }
    }

    private int tail() {
        return registers.get(E1000Registers.RDT + distance);
    }

    /** Free descriptors, in units of 16 bytes. */
    int free() {
        int tail = tail();
        if (head >= ringSize || tail >= ringSize) {
            return 0;
        }
        int span = tail - head;
        return span < 0 ? span + ringSize : span;
    }

    /** Whether the free descriptors hold a frame of this many bytes. */
    boolean hasRoom(int bytes) {
        return !stalled && bytes <= capacity(free());
    }

    /** As {@link #hasRoom}, with the first of them fetched: a ring that cannot be read has no room. */
    boolean prepare(int bytes) {
        return hasRoom(bytes) && (next < fetched || fetch());
    }

    /** Whether the ring could hold the frame if all of it were free. */
    boolean everHasRoom(int bytes) {
        return ringSize == 0 || bytes <= capacity(ringSize - layout.units);
    }

    private long capacity(int units) {
        return layout == Layout.SPLIT ? (long) (units / 2) * split.capacity() : (long) units * bufferSize;
    }

    /** Whether free descriptors fell to the threshold that RDMTS sets: 1/2, 1/4 or 1/8 of the ring. */
    boolean isLow() {
        int shift = (registers.get(E1000Registers.RCTL) >>> E1000Registers.RCTL_RDMTS_SHIFT & 3) + 1;
        return free() <= ringSize >> shift;
    }

    /**
     * Puts a frame into as many buffers as it takes. The caller has asked {@link #prepare}; only null buffers, which are
     * completed empty and skipped, and a ring that becomes unreachable can still make it run out.
     *
     * @return whether all of it was stored
     */
    boolean put(byte[] bytes, int offset, int length, ReceiveStatus status) {
        reprogrammed = false;
        int done = 0;
        for (int used = 0; done < length; used++) {
            if (used == MAX_DESCRIPTORS || next == fetched && !fetch()) {
                return false;
            }
            boolean first = done == 0;
            done += layout == Layout.SPLIT
                    ? putSplit(bytes, offset, length, done, status)
                    : putPlain(bytes, offset + done, length - done, first, status);
            if (reprogrammed) {
                return false;
            }
        }
        return true;
    }

    private int putPlain(byte[] bytes, int offset, int remaining, boolean first, ReceiveStatus status) {
        int at = next * UNIT;
        long iova = LittleEndian.getLong(block, at);
        int length = iova == 0 ? 0 : Math.min(bufferSize, remaining);
        DmaFault fault = length == 0 ? DmaFault.NONE : dma.write(iova, bytes, offset, length, DmaKind.PAYLOAD);
        if (reprogrammed) {
            return 0;
        }
        boolean last = length == remaining;
        if (layout == Layout.LEGACY) {
            fillLegacy(at, length, first, last, status);
        } else {
            fillExtended(at, length, last, status);
        }
        advance(fault);
        return length;
    }

    private void fillLegacy(int at, int length, boolean first, boolean last, ReceiveStatus status) {
        long high = length | (first ? (long) status.checksum << 16 : 0);
        high |= last
                ? (long) (status.status & 0xFF | ReceiveStatus.DD | ReceiveStatus.EOP | status.errors << 8) << 32
                        | (long) status.tag << 48
                : (long) ReceiveStatus.DD << 32;
        LittleEndian.putLong(block, at + 8, high);
    }

    private void fillExtended(int at, int length, boolean last, ReceiveStatus status) {
        LittleEndian.putInt(block, at, last ? status.multipleQueues : 0);
        LittleEndian.putInt(block, at + 4, last ? status.hashOrChecksum : 0);
        LittleEndian.putInt(block, at + 8, statusWord(last, status));
        LittleEndian.putInt(block, at + 12, length | (last ? status.tag << 16 : 0));
    }

    private static int statusWord(boolean last, ReceiveStatus status) {
        return last ? status.status | ReceiveStatus.DD | ReceiveStatus.EOP | status.errors << 24 : ReceiveStatus.DD;
    }

    private int putSplit(byte[] bytes, int offset, int length, int done, ReceiveStatus status) {
        int at = next * UNIT;
        split.load(block, at);
        DmaFault fault = split.store(bytes, offset, length, done, status.headerLength);
        if (reprogrammed) {
            return 0;
        }
        boolean last = done + split.stored() == length;
        LittleEndian.putInt(block, at, last ? status.multipleQueues : 0);
        LittleEndian.putInt(block, at + 4, last ? status.hashOrChecksum : 0);
        LittleEndian.putInt(block, at + 8, statusWord(last, status));
        split.fill(block, at, last ? status.tag : 0);
        advance(fault);
        return split.stored();
    }

    private void advance(DmaFault fault) {
        if (fault != DmaFault.NONE) {
            counters.dmaFaults++;
            counters.rxUnreachable++;
        }
        next += layout.units;
        head += layout.units;
        if (head == ringSize) {
            head = 0;
        }
        completed = true;
    }

    private boolean fetch() {
        flush();
        int free = free();
        int count = Math.min(Math.min(BLOCK, free), ringSize - head) / layout.units * layout.units;
        if (count <= 0 || stalled) {
            // Free, and yet none is whole: a split descriptor that passes the end of the ring. No poll changes that.
            if (!stalled && free >= layout.units) {
                counters.ringFaults++;
                stalled = true;
            }
            return false;
        }
        DmaFault fault = dma.read(ringIova + (long) UNIT * head, block, 0, count * UNIT, DmaKind.DESCRIPTOR);
        if (fault != DmaFault.NONE) {
            counters.dmaFaults++;
            stalled = true;
            return false;
        }
        counters.descriptorFetches++;
        counters.descriptorsFetched += count / layout.units;
        fetched = count;
        next = 0;
        runStart = 0;
        return true;
    }

    /** Writes completed descriptors back and moves RDH behind them. */
    void flush() {
        int count = next - runStart;
        if (count > 0) {
            int first = (head == 0 ? ringSize : head) - count;
            writeRun(ringIova + (long) UNIT * first, count);
            counters.writeBacks++;
            counters.descriptorsWrittenBack += count / layout.units;
            runStart = next;
            published = head;
            registers.set(E1000Registers.RDH + distance, head);
        }
    }

    private void writeRun(long iova, int count) {
        int at = runStart * UNIT;
        int status = LittleEndian.getShort(block, at + layout.statusOffset);
        LittleEndian.putShort(block, at + layout.statusOffset, status & ~ReceiveStatus.DD);
        DmaFault fault = dma.write(iova, block, at, count * UNIT, DmaKind.DESCRIPTOR);
        if (fault == DmaFault.NONE) {
            fault = dma.storeShortRelease(iova + layout.statusOffset, status, DmaKind.DESCRIPTOR);
        }
        counters.dmaFaults += fault == DmaFault.NONE ? 0 : 1;
    }

    boolean hasUnwritten() {
        return next != runStart;
    }

    /** Whether any descriptor was completed since the last call. */
    boolean takeCompleted() {
        boolean value = completed;
        completed = false;
        return value;
    }
}

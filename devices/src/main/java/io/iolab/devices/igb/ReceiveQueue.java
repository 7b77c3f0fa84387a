package io.iolab.devices.igb;

import static io.iolab.devices.igb.IgbRegisters.*;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.LittleEndian;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.register.RegisterFile;

/**
 * A receive ring (82576 datasheet 7.1.3 to 7.1.5): legacy and advanced descriptors, one buffer or headers apart.
 *
 * <p>Order: payload, then the descriptor with its low status half still clear, then that half with release order, so that a driver
 * that sees DD sees the rest.
 */
final class ReceiveQueue extends DescriptorQueue {
    private static final int TYPE_SHIFT = 25;
    private static final int LEGACY = 0;
    private static final int SPLIT = 2;
    private static final int SPLIT_ALWAYS = 5;
    private static final int HEADER_UNIT = 64;
    private static final int KILOBYTE = 1024;
    private static final int DEFAULT_BUFFER = 2 * KILOBYTE;
    private static final int LEGACY_STATUS = 12;
    private static final int ADVANCED_STATUS = 8;
    private static final int HEADER_LENGTH_SHIFT = 21;
    private static final int SPH = 1 << 31;
    /** Descriptors that one frame may take: 16 hold the largest, and some may have no buffer. */
    private static final int MAX_DESCRIPTORS = 64;

    private final byte[] writeBack = new byte[UNIT];

    ReceiveQueue(int index, RegisterFile registers, DmaPort dma, Igb82576Counters counters) {
        super(index, RDBAL + QUEUE_STRIDE * index, 0x0001_0000, registers, dma, counters);
    }

    private int control() {
        return registers.get(SRRCTL + QUEUE_STRIDE * index);
    }

    private int type() {
        return control() >>> TYPE_SHIFT & 7;
    }

    private int bufferSize() {
        int kilobytes = control() & 0x7F;
        return kilobytes == 0 ? DEFAULT_BUFFER : kilobytes * KILOBYTE;
    }

    /** Whether a frame that finds no descriptor is lost at once instead of waiting (SRRCTL.DROP_EN, QDE). */
    boolean dropsWhenFull() {
        return (control() & SRRCTL_DROP_EN) != 0 || (registers.get(QDE) >>> index & 1) != 0;
    }

    /** Counts a frame lost for want of a descriptor. */
    void countDrop() {
        int at = RQDPC + QUEUE_STRIDE * index;
        registers.set(at, registers.get(at) + 1);
    }

    boolean hasRoom(int length) {
        return (long) available() * bufferSize() >= length;
    }

    /** Whether the ring could ever hold the frame; if not, waiting for it would block those behind. */
    boolean everHasRoom(int length) {
        return enabled() && (long) (ringSize() - 1) * bufferSize() >= length;
    }

    /** Stores a frame in as many buffers as it takes; the caller has asked {@link #hasRoom}. @return whether all of it was stored */
    boolean put(byte[] frame, int offset, int length, ReceiveReport report) {
        int started = generation();
        int done = 0;
        for (int used = 0; done < length; used++) {
            if (used == MAX_DESCRIPTORS || !load()) {
                return false;
            }
            done += putOne(frame, offset + done, length - done, used == 0, report);
            if (generation() != started) {
                return false;
            }
        }
        complete();
        return true;
    }

    /** Fills the descriptor at head. @return bytes stored */
    private int putOne(byte[] frame, int offset, int remaining, boolean first, ReceiveReport report) {
        int started = generation();
        long buffer = LittleEndian.getLong(block, at());
        int type = type();
        int header = 0;
        int headerLength = report.headerLength;
        if ((type == SPLIT || type == SPLIT_ALWAYS) && first) {
            header = headerPart(type, headerLength, remaining);
            store(LittleEndian.getLong(block, at() + 8) & ~1L, frame, offset, header);
        }
        int part = buffer == 0 ? 0 : Math.min(bufferSize(), remaining - header);
        store(buffer, frame, offset + header, part);
        if (generation() != started) {
            return 0;
        }
        boolean last = header + part == remaining;
        if (type == LEGACY) {
            writeLegacy(part, last, report);
        } else {
            int split = header == 0 ? 0 : header << HEADER_LENGTH_SHIFT | (header == headerLength ? SPH : 0);
            writeAdvanced(part, split, last, report);
        }
        if (generation() == started) {
            advance();
        }
        return header + part;
    }

    private int headerPart(int type, int headerLength, int remaining) {
        int room = (control() >>> 8 & 0xF) * HEADER_UNIT;
        if (headerLength != 0 && headerLength <= room) {
            return headerLength;
        }
        return type == SPLIT_ALWAYS ? Math.min(room, remaining) : 0;
    }

    private void store(long iova, byte[] frame, int offset, int length) {
        if (length == 0) {
            return;
        }
        if (dma.write(iova, frame, offset, length, DmaKind.PAYLOAD) != DmaFault.NONE) {
            counters.dmaFaults++;
            counters.rxUnreachable++;
            counters.rxUnreachableOfPool[index & IgbRegisters.POOLS - 1]++;
        }
    }

    private void writeAdvanced(int length, int split, boolean last, ReceiveReport report) {
        LittleEndian.putInt(writeBack, 0, last ? report.type | split : split);
        LittleEndian.putInt(writeBack, 4, last ? report.hashOrChecksum : 0);
        int status = last ? report.status | ReceiveReport.EOP | ReceiveReport.DD : ReceiveReport.DD;
        LittleEndian.putInt(writeBack, ADVANCED_STATUS, status & 0xFFFF_0000);
        LittleEndian.putInt(writeBack, 12, length | (last ? report.tag << 16 : 0));
        publish(ADVANCED_STATUS, status & 0xFFFF);
    }

    private void writeLegacy(int length, boolean last, ReceiveReport report) {
        LittleEndian.putLong(writeBack, 0, LittleEndian.getLong(block, at()));
        LittleEndian.putInt(writeBack, 8, length | (last ? report.hashOrChecksum & 0xFFFF_0000 : 0));
        LittleEndian.putInt(writeBack, LEGACY_STATUS, last ? report.tag << 16 : 0);
        int status = last
                ? report.status & 0xFF | ReceiveReport.EOP | ReceiveReport.DD | report.status >>> 24 << 8
                : ReceiveReport.DD;
        publish(LEGACY_STATUS, status & 0xFFFF);
    }

    private void publish(int statusOffset, int status) {
        long iova = iova();
        int started = generation();
        DmaFault fault = dma.write(iova, writeBack, 0, UNIT, DmaKind.DESCRIPTOR);
        if (fault == DmaFault.NONE && generation() == started) {
            fault = dma.storeShortRelease(iova + statusOffset, status, DmaKind.DESCRIPTOR);
        }
        counters.dmaFaults += fault == DmaFault.NONE ? 0 : 1;
    }
}

package io.iolab.devices.net;

import io.iolab.devices.dma.LittleEndian;

/**
 * The receive half of the on-chip packet memory: frames that wait for a descriptor, first in, first out (82540 SDM 2.3 and
 * 13.4, PBA). A frame is kept whole, behind a header of eight bytes, so what fits is a little less than the register says, as
 * on the chip.
 */
public final class PacketBuffer {
    private static final int HEADER = 8;
    private static final int WRAPPED = -1;

    private final byte[] storage;
    private int limit;
    private int read;
    private int write;
    private int used;

    /** @param bytes size of the whole packet memory */
    public PacketBuffer(int bytes) {
        storage = new byte[bytes];
        limit = bytes;
    }

    /** The share that PBA gives to receive; frames already stored stay. */
    public void limit(int bytes) {
        limit = Math.min(bytes, storage.length);
    }

    public void clear() {
        read = 0;
        write = 0;
        used = 0;
    }

    /** Bytes taken, headers and padding included. */
    public int used() {
        return used;
    }

    public boolean isEmpty() {
        return used == 0;
    }

    /**
     * @param marks what the receiver has to remember about the frame
     * @return false if there is no room
     */
    public boolean offer(byte[] frame, int offset, int length, int marks) {
        int need = HEADER + (length + 7 & ~7);
        boolean wraps = storage.length - write < need;
        int skip = wraps ? storage.length - write : 0;
        if (used + skip + need > limit) {
            return false;
        }
        if (wraps) {
            // Nothing may be left to skip: the last frame ended where the storage does.
            if (skip >= HEADER) {
                LittleEndian.putInt(storage, write, WRAPPED);
            }
            used += skip;
            write = 0;
        }
        LittleEndian.putInt(storage, write, length);
        LittleEndian.putInt(storage, write + 4, marks);
        System.arraycopy(frame, offset, storage, write + HEADER, length);
        write += need;
        used += need;
        return true;
    }

    /** Steps over the unused end of the storage, so that {@link #read} is at a frame. */
    private void settle() {
        boolean atEnd = storage.length - read < HEADER;
        if (atEnd || LittleEndian.getInt(storage, read) == WRAPPED) {
            used -= storage.length - read;
            read = 0;
        }
    }

    public byte[] bytes() {
        return storage;
    }

    /** Where the oldest frame starts in {@link #bytes}; there must be one. */
    public int firstOffset() {
        settle();
        return read + HEADER;
    }

    public int firstLength() {
        settle();
        return LittleEndian.getInt(storage, read);
    }

    public int firstMarks() {
        settle();
        return LittleEndian.getInt(storage, read + 4);
    }

    /** Changes what is remembered about the oldest frame. */
    public void firstMarks(int marks) {
        settle();
        LittleEndian.putInt(storage, read + 4, marks);
    }

    public void removeFirst() {
        int size = HEADER + (firstLength() + 7 & ~7);
        read += size;
        used -= size;
        if (used == 0) {
            clear();
        }
    }
}

package io.iolab.devices.ringorder;

import io.iolab.devices.memory.Memory;
import io.iolab.devices.ringorder.Step.Kind;

/** Memory whose every access of up to 8 bytes is a step. Longer ones are made of those, in ascending order. */
final class SteppedMemory implements Memory {
    private final Replay replay;
    private final int size;
    private final Fences fences;
    private long lastStored;

    SteppedMemory(Replay replay, int size, Fences fences) {
        this.replay = replay;
        this.size = size;
        this.fences = fences;
    }

    private long load(long pa, int width) {
        check(pa, width);
        return replay.load(pa, width);
    }

    private void store(long pa, int width, long value, boolean release) {
        check(pa, width);
        lastStored = pa;
        replay.store(pa, width, value, release);
    }

    private void check(long pa, long length) {
        if (!contains(pa, length)) {
            throw new IndexOutOfBoundsException("0x" + Long.toHexString(pa));
        }
    }

    @Override
    public void storeLoadFence() {
        if (fences.kept(lastStored)) {
            replay.step(Kind.FENCE);
        }
    }

    @Override
    public boolean contains(long pa, long length) {
        return pa >= 0 && length >= 0 && pa <= size - length;
    }

    @Override
    public byte readByte(long pa) {
        return (byte) load(pa, 1);
    }

    @Override
    public short readShort(long pa) {
        return (short) load(pa, 2);
    }

    @Override
    public int readInt(long pa) {
        return (int) load(pa, 4);
    }

    @Override
    public long readLong(long pa) {
        return load(pa, 8);
    }

    @Override
    public void writeByte(long pa, byte value) {
        store(pa, 1, value, false);
    }

    @Override
    public void writeShort(long pa, short value) {
        store(pa, 2, value, false);
    }

    @Override
    public void writeInt(long pa, int value) {
        store(pa, 4, value, false);
    }

    @Override
    public void writeLong(long pa, long value) {
        store(pa, 8, value, false);
    }

    @Override
    public short loadShortAcquire(long pa) {
        return (short) load(pa, 2);
    }

    @Override
    public int loadIntAcquire(long pa) {
        return (int) load(pa, 4);
    }

    @Override
    public long loadLongAcquire(long pa) {
        return load(pa, 8);
    }

    @Override
    public void storeShortRelease(long pa, short value) {
        store(pa, 2, value, true);
    }

    @Override
    public void storeIntRelease(long pa, int value) {
        store(pa, 4, value, true);
    }

    @Override
    public void storeLongRelease(long pa, long value) {
        store(pa, 8, value, true);
    }

    @Override
    public boolean compareAndSetInt(long pa, int expected, int value) {
        throw new UnsupportedOperationException("no ring needs it");
    }

    @Override
    public boolean compareAndSetLong(long pa, long expected, long value) {
        throw new UnsupportedOperationException("no ring needs it");
    }

    @Override
    public void read(long pa, byte[] target, int offset, int length) {
        for (int done = 0, width; done < length; done += width) {
            width = chunk(pa + done, length - done);
            long value = load(pa + done, width);
            for (int i = 0; i < width; i++) {
                target[offset + done + i] = (byte) (value >>> 8 * i);
            }
        }
    }

    @Override
    public void write(long pa, byte[] source, int offset, int length) {
        for (int done = 0, width; done < length; done += width) {
            width = chunk(pa + done, length - done);
            long value = 0;
            for (int i = 0; i < width; i++) {
                value |= (source[offset + done + i] & 0xFFL) << 8 * i;
            }
            store(pa + done, width, value, false);
        }
    }

    /** Up to the next multiple of 8. */
    private static int chunk(long pa, int left) {
        return (int) Math.min(left, 8 - (pa & 7));
    }

    @Override
    public void fill(long pa, long length, byte value) {
        for (long i = 0; i < length; i++) {
            store(pa + i, 1, value, false);
        }
    }
}

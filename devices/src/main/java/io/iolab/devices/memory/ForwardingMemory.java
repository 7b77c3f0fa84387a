package io.iolab.devices.memory;

/**
 * A memory that passes everything on. A subclass changes what it is about: an injected defect, a fence left out, an ear at a store.
 *
 * <p>Threading: that of the memory behind it.
 */
public class ForwardingMemory implements Memory {
    private final Memory memory;

    public ForwardingMemory(Memory memory) {
        this.memory = memory;
    }

    @Override
    public boolean contains(long pa, long length) {
        return memory.contains(pa, length);
    }

    @Override
    public byte readByte(long pa) {
        return memory.readByte(pa);
    }

    @Override
    public short readShort(long pa) {
        return memory.readShort(pa);
    }

    @Override
    public int readInt(long pa) {
        return memory.readInt(pa);
    }

    @Override
    public long readLong(long pa) {
        return memory.readLong(pa);
    }

    @Override
    public void writeByte(long pa, byte value) {
        memory.writeByte(pa, value);
    }

    @Override
    public void writeShort(long pa, short value) {
        memory.writeShort(pa, value);
    }

    @Override
    public void writeInt(long pa, int value) {
        memory.writeInt(pa, value);
    }

    @Override
    public void writeLong(long pa, long value) {
        memory.writeLong(pa, value);
    }

    @Override
    public short loadShortAcquire(long pa) {
        return memory.loadShortAcquire(pa);
    }

    @Override
    public int loadIntAcquire(long pa) {
        return memory.loadIntAcquire(pa);
    }

    @Override
    public long loadLongAcquire(long pa) {
        return memory.loadLongAcquire(pa);
    }

    @Override
    public void storeShortRelease(long pa, short value) {
        memory.storeShortRelease(pa, value);
    }

    @Override
    public void storeIntRelease(long pa, int value) {
        memory.storeIntRelease(pa, value);
    }

    @Override
    public void storeLongRelease(long pa, long value) {
        memory.storeLongRelease(pa, value);
    }

    @Override
    public boolean compareAndSetInt(long pa, int expected, int value) {
        return memory.compareAndSetInt(pa, expected, value);
    }

    @Override
    public boolean compareAndSetLong(long pa, long expected, long value) {
        return memory.compareAndSetLong(pa, expected, value);
    }

    @Override
    public void read(long pa, byte[] target, int offset, int length) {
        memory.read(pa, target, offset, length);
    }

    @Override
    public void write(long pa, byte[] source, int offset, int length) {
        memory.write(pa, source, offset, length);
    }

    @Override
    public void fill(long pa, long length, byte value) {
        memory.fill(pa, length, value);
    }
}

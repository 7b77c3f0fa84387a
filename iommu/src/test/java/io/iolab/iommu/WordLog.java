package io.iolab.iommu;

import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;
import java.util.LinkedHashMap;
import java.util.Map;

/** Memory that keeps what stood in every word before it was written through here. */
final class WordLog extends ForwardingMemory {
    private final Map<Long, Long> before = new LinkedHashMap<>();

    WordLog(Memory memory) {
        super(memory);
    }

    /** Words written since {@link #forget}, with what they were. */
    Map<Long, Long> before() {
        return before;
    }

    void forget() {
        before.clear();
    }

    private void note(long pa, long length) {
        for (long word = pa & -8; word < pa + length; word += 8) {
            if (!before.containsKey(word)) {
                before.put(word, super.readLong(word));
            }
        }
    }

    @Override
    public void writeByte(long pa, byte value) {
        note(pa, 1);
        super.writeByte(pa, value);
    }

    @Override
    public void writeShort(long pa, short value) {
        note(pa, 2);
        super.writeShort(pa, value);
    }

    @Override
    public void writeInt(long pa, int value) {
        note(pa, 4);
        super.writeInt(pa, value);
    }

    @Override
    public void writeLong(long pa, long value) {
        note(pa, 8);
        super.writeLong(pa, value);
    }

    @Override
    public void storeShortRelease(long pa, short value) {
        note(pa, 2);
        super.storeShortRelease(pa, value);
    }

    @Override
    public void storeIntRelease(long pa, int value) {
        note(pa, 4);
        super.storeIntRelease(pa, value);
    }

    @Override
    public void storeLongRelease(long pa, long value) {
        note(pa, 8);
        super.storeLongRelease(pa, value);
    }

    @Override
    public boolean compareAndSetInt(long pa, int expected, int value) {
        note(pa, 4);
        return super.compareAndSetInt(pa, expected, value);
    }

    @Override
    public boolean compareAndSetLong(long pa, long expected, long value) {
        note(pa, 8);
        return super.compareAndSetLong(pa, expected, value);
    }

    @Override
    public void write(long pa, byte[] source, int offset, int length) {
        note(pa, length);
        super.write(pa, source, offset, length);
    }

    @Override
    public void fill(long pa, long length, byte value) {
        note(pa, length);
        super.fill(pa, length, value);
    }
}

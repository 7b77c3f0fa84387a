package io.iolab.devices.hostile;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.PhysicalMemory;

/**
 * The memory of one guest between those of two others. The guest's addresses 0 to {@link #SIZE} are the middle third;
 * everything else faults. The neighbours hold a pattern that must never change.
 */
final class GuestWindow implements DmaPort, AutoCloseable {
    static final long SIZE = 4 << 20;
    private static final byte PATTERN = 0x5A;

    private final PhysicalMemory memory = PhysicalMemory.allocate(3 * SIZE);
    private int longest;
    private long interruptMessages;

    GuestWindow() {
        memory.fill(0, SIZE, PATTERN);
        memory.fill(2 * SIZE, SIZE, PATTERN);
    }

    @Override
    public void close() {
        memory.close();
    }

    /** The guest's own store. */
    void store(long gpa, byte[] bytes) {
        memory.write(SIZE + gpa, bytes, 0, bytes.length);
    }

    /** All three thirds; the guest's address 0 is at {@link #SIZE}. */
    PhysicalMemory memory() {
        return memory;
    }

    /** The longest single request, in bytes. */
    int longest() {
        return longest;
    }

    long interruptMessages() {
        return interruptMessages;
    }

    boolean neighboursUntouched() {
        return untouched(0) && untouched(2 * SIZE);
    }

    private boolean untouched(long hpa) {
        byte[] bytes = new byte[(int) SIZE];
        memory.read(hpa, bytes, 0, bytes.length);
        for (byte b : bytes) {
            if (b != PATTERN) {
                return false;
            }
        }
        return true;
    }

    private boolean inside(long iova, long length) {
        longest = (int) Math.max(longest, length);
        return AddressRange.contains(0, SIZE, iova, length);
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        if (!inside(iova, length)) {
            return DmaFault.NOT_MAPPED;
        }
        memory.read(SIZE + iova, target, offset, length);
        return DmaFault.NONE;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        if (MessagePort.claims(iova) && length == 4) {
            interruptMessages++;
            return DmaFault.NONE;
        }
        if (!inside(iova, length)) {
            return DmaFault.NOT_MAPPED;
        }
        memory.write(SIZE + iova, source, offset, length);
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        if ((iova & 1) != 0 || !inside(iova, 2)) {
            return DmaFault.NOT_MAPPED.asResult();
        }
        return memory.loadShortAcquire(SIZE + iova) & 0xFFFF;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        if ((iova & 1) != 0 || !inside(iova, 2)) {
            return DmaFault.NOT_MAPPED;
        }
        memory.storeShortRelease(SIZE + iova, (short) value);
        return DmaFault.NONE;
    }
}

package io.iolab.devices.dma;

import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.irq.MessagePort;
import io.iolab.devices.memory.AddressRange;
import io.iolab.devices.memory.Memory;

/**
 * DMA without translation: the device's addresses are physical addresses of {@code memory}. Writes into the interrupt range
 * become messages; reads from it, and anything but an aligned 4-byte write, fail, as on a root complex.
 */
public final class DirectDma implements DmaPort {
    private final Memory memory;
    private final MessagePort messages;

    public DirectDma(Memory memory, MessagePort messages) {
        this.memory = memory;
        this.messages = messages;
    }

    @Override
    public DmaFault read(long iova, byte[] target, int offset, int length, DmaKind kind) {
        DmaFault fault = check(iova, length);
        if (fault == DmaFault.NONE) {
            memory.read(iova, target, offset, length);
        }
        return fault;
    }

    @Override
    public DmaFault write(long iova, byte[] source, int offset, int length, DmaKind kind) {
        if (MessagePort.claims(iova)) {
            return message(iova, source, offset, length);
        }
        DmaFault fault = check(iova, length);
        if (fault == DmaFault.NONE) {
            memory.write(iova, source, offset, length);
        }
        return fault;
    }

    private DmaFault message(long iova, byte[] source, int offset, int length) {
        if (length != 4 || (iova & 3) != 0) {
            return DmaFault.BEYOND_MEMORY;
        }
        messages.message(iova, LittleEndian.getInt(source, offset));
        return DmaFault.NONE;
    }

    @Override
    public int loadShortAcquire(long iova, DmaKind kind) {
        if ((iova & 1) != 0 || check(iova, 2) != DmaFault.NONE) {
            return DmaFault.BEYOND_MEMORY.asResult();
        }
        return memory.loadShortAcquire(iova) & 0xFFFF;
    }

    @Override
    public DmaFault storeShortRelease(long iova, int value, DmaKind kind) {
        if ((iova & 1) != 0 || check(iova, 2) != DmaFault.NONE) {
            return DmaFault.BEYOND_MEMORY;
        }
        memory.storeShortRelease(iova, (short) value);
        return DmaFault.NONE;
    }

    /** Memory never reaches into the interrupt range, so one containment check covers both. */
    private DmaFault check(long iova, int length) {
        return memory.contains(iova, length) && !AddressRange.overlaps(iova, length, MessagePort.BASE, MessagePort.SIZE)
                ? DmaFault.NONE
                : DmaFault.BEYOND_MEMORY;
    }
}

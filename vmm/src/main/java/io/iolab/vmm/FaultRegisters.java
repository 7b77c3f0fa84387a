package io.iolab.vmm;

import io.iolab.devices.bus.MmioHandler;
import io.iolab.iommu.register.VtdRegisters;

/**
 * Remembers what a guest reads of its unit's fault status and fault recording registers (VT-d 10.4.9, 10.4.14).
 *
 * <p>Threading: the processor that reads them.
 */
final class FaultRegisters {
    private static final int RECORD = 16;

    private final long first;
    private final long end;
    private int status;
    private int index;
    private long high;
    private long low;

    /** @param unit read once, for CAP */
    FaultRegisters(MmioHandler unit) {
        long cap = unit.read(VtdRegisters.CAP, 8);
        first = (cap >>> 24 & 0x3FF) * RECORD;
        end = first + ((cap >>> 40 & 0xFF) + 1) * RECORD;
    }

    /** A load of the guest's and what it gave. */
    void read(long offset, int width, long value) {
        if (offset == VtdRegisters.FSTS) {
            status = (int) value;
        } else if (offset >= first && offset < end) {
            int record = (int) (offset - first) / RECORD;
            if (record != index) {
                index = record;
                high = 0;
                low = 0;
            }
            int place = (int) (offset - first) % RECORD;
            if (place < 8) {
                low = merged(low, place, width, value);
            } else {
                high = merged(high, place - 8, width, value);
            }
        }
    }

    private static long merged(long before, int place, int width, long value) {
        long mask = -1L >>> 64 - 8 * width << 8 * place;
        return before & ~mask | value << 8 * place & mask;
    }

    /** FSTS as it was last read, and the record. */
    SeenUnit.Registers lastRead() {
        return new SeenUnit.Registers(status, index, high, low);
    }
}

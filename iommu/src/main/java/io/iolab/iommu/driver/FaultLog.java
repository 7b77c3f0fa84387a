package io.iolab.iommu.driver;

import io.iolab.devices.memory.Access;
import java.util.function.Consumer;

/** Reads fault records: from FSTS.FRI on, record by record, until one without F (VT-d chapter 7). */
final class FaultLog {
    private static final int OVERFLOW = 1;
    private static final int PENDING = 1 << 1;
    private static final int FAULT = 1 << 31;
    private static final int READ = 1 << 30;

    /** EXE and PRIV, bits 30 and 29 of the third dword. */
    private static final int EXECUTE = 1 << 30;

    private static final int PRIVILEGED = 1 << 29;

    /** PP, bit 31 of the third dword; PV, bits 59:40 of the upper qword. */
    private static final int PASID_PRESENT = 1 << 31;

    private static final int PASID_SHIFT = 8;
    private static final int PASID_MASK = 0xF_FFFF;

    private final UnitRegisters unit;
    private long overflows;

    FaultLog(UnitRegisters unit) {
        this.unit = unit;
    }

    /** Where the fault event goes; unmasks it. */
    void configureEvent(long address, int data) {
        unit.store32(UnitRegisters.FEDATA, data);
        unit.store32(UnitRegisters.FEADDR, (int) address);
        unit.store32(UnitRegisters.FEUADDR, (int) (address >>> 32));
        unit.store32(UnitRegisters.FECTL, 0);
    }

    long overflows() {
        return overflows;
    }

    void discard() {
        drain(report -> {});
        overflows = 0;
    }

    int drain(Consumer<FaultReport> report) {
        int status = unit.load32(UnitRegisters.FSTS);
        int seen = 0;
        if ((status & PENDING) != 0) {
            int records = unit.faultRecords();
            int index = (status >>> 8 & 0xFF) % records;
            while (seen < records && take(index, report)) {
                seen++;
                index = index + 1 == records ? 0 : index + 1;
            }
        }
        if ((unit.load32(UnitRegisters.FSTS) & OVERFLOW) != 0) {
            overflows++;
            unit.store32(UnitRegisters.FSTS, OVERFLOW);
        }
        return seen;
    }

    private boolean take(int index, Consumer<FaultReport> report) {
        int offset = unit.faultRecordOffset() + 16 * index;
        int top = unit.load32(offset + 12);
        if ((top & FAULT) == 0) {
            return false;
        }
        int flags = unit.load32(offset + 8);
        int source = flags & 0xFFFF;
        int pasid = (flags & PASID_PRESENT) != 0 ? top >>> PASID_SHIFT & PASID_MASK : FaultReport.NO_PASID;
        long iovaPage = unit.load64(offset) & ~0xFFFL;
        unit.store32(offset + 12, FAULT);
        Access access = (top & READ) != 0 ? Access.READ : Access.WRITE;
        boolean execute = (flags & EXECUTE) != 0;
        boolean privileged = (flags & PRIVILEGED) != 0;
        report.accept(new FaultReport(source, iovaPage, access, top & 0xFF, pasid, execute, privileged));
        return true;
    }
}

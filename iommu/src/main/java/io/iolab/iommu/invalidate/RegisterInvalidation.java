package io.iolab.iommu.invalidate;

import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.register.RegisterFile;
import io.iolab.iommu.register.VtdRegisters;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Invalidation through CCMD and IOTLB (VT-d 6.5.1). A command starts when the high half is written with bit 63 set, and is done
 * when that bit reads 0 again, which here is at once.
 *
 * <p>While the queue is enabled, and in scalable mode, these registers are out of service: a command is dropped, counted, and reports granularity 0, which
 * software reads as an incorrect request. Leaving the busy bit set instead would hang a polling driver for a mistake of its own.
 *
 * <p>Threading: under the unit's lock.
 */
public final class RegisterInvalidation {
    private static final int START = 1 << 31;

    /** CCMD bits 62:61 and 60:59, in the high half. */
    private static final int CONTEXT_GRANULARITY_SHIFT = 29;

    private static final int CONTEXT_ACTUAL_SHIFT = 27;

    /** IOTLB bits 61:60 and 58:57, in the high half. */
    private static final int IOTLB_GRANULARITY_SHIFT = 28;

    private static final int IOTLB_ACTUAL_SHIFT = 25;

    private final RegisterFile registers;
    private final Invalidations invalidations;
    private final BooleanSupplier outOfService;

    /** @param outOfService whether GSTS.QIES is set, or scalable mode in force, which has the queue only */
    public RegisterInvalidation(RegisterFile registers, Invalidations invalidations, BooleanSupplier outOfService) {
        this.registers = registers;
        this.invalidations = invalidations;
        this.outOfService = outOfService;
        // SID and FM, bits 33:16, are write-only; so is IVA.
        registers.onRead(VtdRegisters.CCMD, () -> registers.get(VtdRegisters.CCMD) & 0xFFFF);
        registers.onRead(VtdRegisters.CCMD + 4, () -> registers.get(VtdRegisters.CCMD + 4) & ~3);
        registers.onWrite(VtdRegisters.CCMD + 4, (written, previous) -> context());
        registers.onRead(VtdRegisters.IVA, () -> 0);
        registers.onRead(VtdRegisters.IVA + 4, () -> 0);
        registers.onWrite(VtdRegisters.IOTLB + 4, (written, previous) -> iotlb());
    }

    private void context() {
        int high = registers.get(VtdRegisters.CCMD + 4);
        if ((high & START) == 0) {
            return;
        }
        int low = registers.get(VtdRegisters.CCMD);
        int granularity = high >>> CONTEXT_GRANULARITY_SHIFT & 3;
        InvalidationKind kind =
                allowed() ? invalidations.context(granularity, low & 0xFFFF, low >>> 16, high & 3) : null;
        finish(VtdRegisters.CCMD + 4, high & ~(3 << CONTEXT_ACTUAL_SHIFT), kind, granularity << CONTEXT_ACTUAL_SHIFT);
    }

    private void iotlb() {
        int high = registers.get(VtdRegisters.IOTLB + 4);
        if ((high & START) == 0) {
            return;
        }
        int granularity = high >>> IOTLB_GRANULARITY_SHIFT & 3;
        InvalidationKind kind =
                allowed() ? invalidations.iotlb(granularity, high & 0xFFFF, registers.get64(VtdRegisters.IVA)) : null;
        finish(VtdRegisters.IOTLB + 4, high & ~(3 << IOTLB_ACTUAL_SHIFT), kind, granularity << IOTLB_ACTUAL_SHIFT);
    }

    private boolean allowed() {
        if (outOfService.getAsBoolean()) {
            registers.count(RegisterFault.ILLEGAL_STATE);
            return false;
        }
        return true;
    }

    private void finish(int offset, int word, @Nullable InvalidationKind kind, int actualGranularity) {
        registers.set(offset, word & ~START | (kind == null ? 0 : actualGranularity));
        if (kind != null) {
            invalidations.countByRegister(kind);
        }
    }
}

package io.iolab.iommu.driver;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.fault.FaultReason;
import org.jspecify.annotations.Nullable;

/**
 * A fault record as host software read it.
 *
 * @param rid the requester
 * @param iovaPage the 4 KiB page of the request; for an interrupt request the index of its entry, in bits 63:48
 * @param access what was tried
 * @param reasonCode FR as recorded
 * @param pasid of the request, or {@link #NO_PASID}
 * @param execute whether it asked to execute (EXE); requests with PASID only
 * @param privileged whether it was made with supervisor privilege (PRIV); requests with PASID only
 */
public record FaultReport(
        int rid, long iovaPage, Access access, int reasonCode, int pasid, boolean execute, boolean privileged) {
    /** The PASID of a request without one. */
    public static final int NO_PASID = -1;

    private static final int FIRST_INTERRUPT_REASON = 0x20;
    private static final int LAST_INTERRUPT_REASON = 0x2F;
    private static final int INDEX_SHIFT = 48;

    /** Of a request that neither asks to execute nor has supervisor privilege. */
    public FaultReport(int rid, long iovaPage, Access access, int reasonCode, int pasid) {
        this(rid, iovaPage, access, reasonCode, pasid, false, false);
    }

    /** Of a request without PASID. */
    public FaultReport(int rid, long iovaPage, Access access, int reasonCode) {
        this(rid, iovaPage, access, reasonCode, NO_PASID);
    }

    /** Whether an interrupt request was blocked, not a DMA request. */
    public boolean ofInterrupt() {
        return reasonCode >= FIRST_INTERRUPT_REASON && reasonCode <= LAST_INTERRUPT_REASON;
    }

    /** The interrupt-remapping table index of a blocked interrupt request. */
    public int interruptIndex() {
        return (int) (iovaPage >>> INDEX_SHIFT);
    }

    /** The reason, or null for a code that this lab does not know. */
    public @Nullable FaultReason reason() {
        return FaultReason.ofCode(reasonCode);
    }

    /** The line that Linux logs for it. */
    @Override
    public String toString() {
        FaultReason reason = reason();
        String end = String.format("[fault reason 0x%02x] %s", reasonCode, reason == null ? "Unknown" : reason.text());
        String source = RequesterId.format(rid);
        if (ofInterrupt()) {
            return String.format(
                    "DMAR: [INTR-REMAP] Request device [%s] fault index 0x%x %s", source, interruptIndex(), end);
        }
        return String.format(
                "DMAR: [DMA %s %s] Request device [%s] fault addr 0x%x %s",
                access == Access.READ ? "Read" : "Write",
                pasid == NO_PASID ? "NO_PASID" : String.format("PASID 0x%x", pasid),
                source,
                iovaPage,
                end);
    }
}

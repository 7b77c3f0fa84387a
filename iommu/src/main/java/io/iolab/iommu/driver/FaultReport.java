package io.iolab.iommu.driver;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.fault.FaultReason;
import org.jspecify.annotations.Nullable;

/**
 * A fault record as host software read it.
 *
 * @param rid the requester
 * @param iovaPage the 4 KiB page of the request
 * @param access what was tried
 * @param reasonCode FR as recorded
 */
public record FaultReport(int rid, long iovaPage, Access access, int reasonCode) {

    /** The reason, or null for a code that this lab does not know. */
    public @Nullable FaultReason reason() {
        return FaultReason.ofCode(reasonCode);
    }

    /** The line that Linux logs for it. */
    @Override
    public String toString() {
        FaultReason reason = reason();
        return String.format(
                "DMAR: [DMA %s NO_PASID] Request device [%s] fault addr 0x%x [fault reason 0x%02x] %s",
                access == Access.READ ? "Read" : "Write",
                RequesterId.format(rid),
                iovaPage,
                reasonCode,
                reason == null ? "Unknown" : reason.text());
    }
}

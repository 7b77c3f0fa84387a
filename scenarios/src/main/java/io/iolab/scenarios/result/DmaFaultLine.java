package io.iolab.scenarios.result;

import io.iolab.devices.dma.RequesterId;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.fault.FaultReason;
import java.util.List;
import java.util.Map;

/**
 * A DMA request that the IOMMU refused, and how many records of it were read.
 *
 * @param source the requester, as lspci writes it
 * @param page the 4 KiB page of the request
 * @param code the reason recorded
 * @param line what Linux would log
 */
public record DmaFaultLine(
        String source, long page, Access access, int code, String reason, String line, long records) {

    /** In the order of the map. */
    public static List<DmaFaultLine> of(Map<FaultReport, Long> faults) {
        return faults.entrySet().stream()
                .map(entry -> of(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static DmaFaultLine of(FaultReport fault, long records) {
        FaultReason reason = fault.reason();
        return new DmaFaultLine(
                RequesterId.format(fault.rid()),
                fault.iovaPage(),
                fault.access(),
                fault.reasonCode(),
                reason == null ? "Unknown" : reason.text(),
                fault.toString(),
                records);
    }
}

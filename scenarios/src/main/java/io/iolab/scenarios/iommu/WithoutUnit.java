package io.iolab.scenarios.iommu;

import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.walk.RequestType;
import java.util.function.LongFunction;

/** What would have come of a refused request on a host without a remapping unit. */
public final class WithoutUnit {
    private WithoutUnit() {}

    /**
     * In a sentence, with a full stop.
     *
     * @param type AT of the request
     * @param place what lies at a page of host memory, in words: {@code guest B's memory at host address 0x1000}
     */
    public static String of(FaultReport report, RequestType type, LongFunction<String> place) {
        if (report.reason() == FaultReason.MESSAGE_WITH_PASID) {
            return "the message would have reached a processor, whatever PASID it carries.";
        }
        if (report.ofInterrupt()) {
            return "the message would have reached a processor as the device wrote it.";
        }
        if (WalkRequest.of(report, type).pageRequest()) {
            return "nobody would have asked whether the function may send page requests.";
        }
        if (type == RequestType.TRANSLATION_REQUEST) {
            return "there would have been nobody to ask, and nothing to translate: every address is a host address.";
        }
        String verb = report.access() == Access.WRITE ? "written" : report.execute() ? "read, to be executed" : "read";
        String ignored = report.pasid() == FaultReport.NO_PASID ? "" : ", as nobody else looks at PASIDs";
        return place.apply(report.iovaPage()) + " would have been " + verb + ignored + ".";
    }
}

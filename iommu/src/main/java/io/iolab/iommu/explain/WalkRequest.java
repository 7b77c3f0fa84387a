package io.iolab.iommu.explain;

import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.walk.RequestType;

/**
 * A request to explain.
 *
 * @param rid the requester id that it carries, 16 bits
 * @param pasid 20 bits, or {@link FaultReport#NO_PASID}
 * @param iova any address, 64 bits
 * @param access what it tries
 * @param type AT of the request
 * @param pageRequest whether it is a page request message, which goes no further than the context entry
 * @param execute whether it asks to execute; counts for requests with PASID
 * @param privileged whether it is made with supervisor privilege; counts for requests with PASID
 */
public record WalkRequest(
        int rid,
        int pasid,
        long iova,
        Access access,
        RequestType type,
        boolean pageRequest,
        boolean execute,
        boolean privileged) {
    public WalkRequest(int rid, int pasid, long iova, Access access, RequestType type) {
        this(rid, pasid, iova, access, type, false, false, false);
    }

    /** The same request as a PASID's prefix makes it. */
    public WalkRequest with(boolean toExecute, boolean withPrivilege) {
        return new WalkRequest(rid, pasid, iova, access, type, pageRequest, toExecute, withPrivilege);
    }

    /** Untranslated and without PASID. */
    public WalkRequest(int rid, long iova, Access access) {
        this(rid, FaultReport.NO_PASID, iova, access, RequestType.UNTRANSLATED);
    }

    /** The request behind a fault record of a DMA request; the record does not keep its offset in the page. */
    public static WalkRequest of(FaultReport report, RequestType type) {
        FaultReason reason = report.reason();
        boolean pageRequest =
                reason == FaultReason.PAGE_REQUESTS_DISABLED || reason == FaultReason.PAGE_REQUEST_IN_LEGACY_MODE;
        return new WalkRequest(
                report.rid(),
                report.pasid(),
                report.iovaPage(),
                report.access(),
                type,
                pageRequest,
                report.execute(),
                report.privileged());
    }
}

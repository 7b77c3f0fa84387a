package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;
import java.util.function.LongUnaryOperator;

/** Decides what becomes of a page that a device has asked for. */
@FunctionalInterface
public interface PageResolver {
    /** The page is there now. */
    int SUCCESS = 0;

    /** Nobody will ever make this page be there. */
    int INVALID = 1;

    /** The function is to ask for nothing more. */
    int FAILURE = 15;

    /**
     * Makes a page be there, or not.
     *
     * @param pasid 20 bits, or {@link io.iolab.devices.dma.TranslationPort#NO_PASID}
     * @param iova of the page
     * @param write whether it is to be written
     * @return {@link #SUCCESS}, {@link #INVALID} or {@link #FAILURE}
     */
    int resolve(int rid, int pasid, long iova, boolean write);

    /**
     * Maps pages of the requester's domain when they are first asked for, readable and writable.
     *
     * @param backing host physical address of the frame for a page, or -1 for a page that is not to be
     */
    static PageResolver onDemand(IommuDriver driver, LongUnaryOperator backing) {
        return (rid, pasid, iova, write) -> {
            Domain domain = driver.domainOf(rid);
            if (domain == null || domain.isPassThrough() || iova < 0 || iova >= domain.limit()) {
                return INVALID;
            }
            if (domain.translate(iova) >= 0) {
                return SUCCESS;
            }
            long hpa = backing.applyAsLong(iova);
            if (hpa < 0) {
                return INVALID;
            }
            domain.map(iova, hpa, AddressRange.PAGE_SIZE, MapRights.READ_WRITE);
            return SUCCESS;
        };
    }
}

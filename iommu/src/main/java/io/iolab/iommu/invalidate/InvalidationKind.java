package io.iolab.iommu.invalidate;

/** What an invalidation command covers, and the other commands that a queue takes (VT-d 6.5, 7.7). */
public enum InvalidationKind {
    CONTEXT_GLOBAL,
    CONTEXT_DOMAIN,
    CONTEXT_DEVICE,
    IOTLB_GLOBAL,
    IOTLB_DOMAIN,
    IOTLB_PAGE,
    PASID_GLOBAL,
    PASID_DOMAIN,
    PASID_ONE,
    PASID_IOTLB_ALL,
    PASID_IOTLB_PAGE,
    DEVICE_TLB,
    INTERRUPT_GLOBAL,
    INTERRUPT_INDEX,
    PAGE_GROUP_RESPONSE,
    WAIT
}

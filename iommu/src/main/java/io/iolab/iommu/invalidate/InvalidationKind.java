package io.iolab.iommu.invalidate;

/** What an invalidation command covers, and the wait that follows commands in a queue (VT-d 6.5). */
public enum InvalidationKind {
    CONTEXT_GLOBAL,
    CONTEXT_DOMAIN,
    CONTEXT_DEVICE,
    IOTLB_GLOBAL,
    IOTLB_DOMAIN,
    IOTLB_PAGE,
    WAIT
}

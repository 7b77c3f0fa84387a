package io.iolab.devices.dma;

/**
 * The cache of translations in a function (ATC, device TLB), as the root complex reaches it (PCIe 4.0 10.3 and 10.4).
 *
 * <p>Threading: messages arrive on the thread that carries out the invalidation, beside the device's own; an implementation has to
 * be safe against that and must not call back into the unit before it returns.
 */
public interface AddressTranslationCache {
    /** Shift that covers every address. */
    int ALL = 64;

    /**
     * Forgets translations in the naturally aligned block of two to the power of {@code shift} bytes around {@code iova}. When this
     * returns true no translated request uses one of them any more.
     *
     * @param shift 12 to 63, or {@link #ALL}
     * @param pasid of these requests, or {@link TranslationPort#NO_PASID}
     * @param allPasids whether {@code pasid} does not count (G)
     * @return whether an invalidate completion came; without it the unit reports a time-out
     */
    boolean invalidate(long iova, int shift, int pasid, boolean allPasids);

    /**
     * Answers a group of page requests.
     *
     * @param pasid as in the request, or {@link TranslationPort#NO_PASID}
     * @param group as in the request
     * @param code 0 success, 1 invalid request, 15 response failure (PCIe 4.0 10.4.2)
     */
    void pageGroupResponse(int pasid, int group, int code);
}

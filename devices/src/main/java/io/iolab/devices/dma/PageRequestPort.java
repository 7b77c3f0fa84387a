package io.iolab.devices.dma;

/** Takes page request messages that a unit has found valid, on the thread of the function that sent them. */
@FunctionalInterface
public interface PageRequestPort {
    /**
     * @param pasid 20 bits, or {@link TranslationPort#NO_PASID}
     * @param wanted bits of {@link TranslationPort}
     * @param group page request group index, 0 to 511
     * @param last whether the group ends with this request
     */
    void pageRequest(int rid, int pasid, long iova, int wanted, int group, boolean last);
}

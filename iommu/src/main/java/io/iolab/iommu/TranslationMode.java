package io.iolab.iommu;

/** What becomes of a DMA request, by GSTS.TES and the latched RTADDR.TTM. */
enum TranslationMode {
    /** TES=0: addresses are host physical. */
    OFF,
    /** TES=1 and TTM=0. */
    LEGACY,
    /** TES=1 and a TTM that the unit does not offer: every request is blocked. */
    BLOCKED
}

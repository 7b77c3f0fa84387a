package io.iolab.iommu;

/** What becomes of a DMA request, by GSTS.TES and the latched RTADDR.TTM. */
enum TranslationMode {
    /** TES=0: addresses are host physical. */
    OFF,
    /** TES=1 and TTM=00. */
    LEGACY,
    /** TES=1 and TTM=01. */
    SCALABLE,
    /** TES=1 and TTM=11, where the unit offers it: every request is blocked. */
    ABORT,
    /** TES=1 and a TTM that the unit does not offer: every request is blocked. */
    BLOCKED;

    static TranslationMode of(boolean enabled, int tableMode, boolean scalableMode, boolean abortDma) {
        if (!enabled) {
            return OFF;
        }
        return switch (tableMode) {
            case 0 -> LEGACY;
            case 1 -> scalableMode ? SCALABLE : BLOCKED;
            case 3 -> abortDma ? ABORT : BLOCKED;
            default -> BLOCKED;
        };
    }

    /** Whether requests go through tables. */
    boolean translates() {
        return this == LEGACY || this == SCALABLE;
    }
}

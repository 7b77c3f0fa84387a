package io.iolab.iommu.driver;

/** Which structures the driver builds. A unit that offers scalable mode takes those of legacy mode as well. */
public enum TableMode {
    /** Root and context entries that lead to second-level tables (VT-d 9.1, 9.3). */
    LEGACY,
    /** Scalable mode with second-level tables behind PASID entries: what a unit with caching mode or a guest's tables wants. */
    SCALABLE_SECOND_LEVEL,
    /**
     * Scalable mode with first-level tables, in the processor's format. A page that the device may write it may also read, and domains
     * end where the lower half of canonical addresses does.
     */
    SCALABLE_FIRST_LEVEL;

    boolean isScalable() {
        return this != LEGACY;
    }

    boolean isFirstLevel() {
        return this == SCALABLE_FIRST_LEVEL;
    }
}

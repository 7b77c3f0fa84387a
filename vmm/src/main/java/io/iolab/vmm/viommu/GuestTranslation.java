package io.iolab.vmm.viommu;

/** How the tables of a guest's unit take effect on the physical one. Each call returns when they have. */
public interface GuestTranslation {
    /**
     * Root pointer or translation enable changed.
     *
     * @param rootPointer RTADDR as it was last latched
     */
    void tables(long rootPointer, boolean enabled);

    /** Context entries, or PASID entries, may have changed. */
    void contexts();

    /**
     * Translations of a domain may have changed (VT-d 6.5.2.2).
     *
     * @param domain the guest's id, or {@link #ALL_DOMAINS}
     * @param last last byte of the range
     */
    void pages(int domain, long first, long last);

    /**
     * First-level translations may have changed (VT-d 6.5.2.4).
     *
     * @param addressMask of the block of 2 to this power pages at {@code iova}, or {@link #ALL_PAGES}
     * @param leafOnly IH
     */
    void firstLevelPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly);

    /** Stands for every domain. */
    int ALL_DOMAINS = -1;

    /** Stands for every page. */
    int ALL_PAGES = -1;
}

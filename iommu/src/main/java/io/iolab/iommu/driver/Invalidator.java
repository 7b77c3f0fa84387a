package io.iolab.iommu.driver;

/**
 * Tells the unit what to forget, and returns when it has (VT-d 6.5). Granularities are those of the specification; a method that
 * names pages may invalidate more, never less. Commands about PASIDs and devices exist in a queue only; without one they throw
 * {@link IllegalStateException}.
 */
interface Invalidator {
    /** The address mask that covers every page. */
    int ALL_PAGES = 52;

    /** Every context entry. */
    void contextGlobal();

    /** The context entry of one requester, by the domain id that it had. */
    void contextDevice(int domain, int rid);

    void iotlbGlobal();

    void iotlbDomain(int domain);

    /**
     * The naturally aligned block of 2^{@code addressMask} pages at {@code iova}.
     *
     * @param addressMask not above what the unit takes
     * @param leafOnly whether tables above the leaves are as they were (IH)
     */
    void iotlbPages(int domain, long iova, int addressMask, boolean leafOnly);

    /** The entry of one PASID, by the domain id that it had. */
    void pasid(int domain, int pasid);

    /** Every PASID entry. */
    void pasidGlobal();

    /** First-level translations of one PASID. */
    void pasidIotlb(int domain, int pasid);

    /** The same in a block of pages, as {@link #iotlbPages}. */
    void pasidIotlbPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly);

    /**
     * What a device itself has cached of the block of 2^{@code addressMask} pages.
     *
     * @param addressMask {@link #ALL_PAGES} for everything
     * @return whether the device said that it is done
     */
    boolean deviceTlb(int rid, long iova, int addressMask);

    /**
     * The naturally aligned block of 2^{@code mask} interrupt-remapping table entries at {@code index}.
     *
     * @throws IllegalStateException without a queue, which interrupt remapping needs
     */
    void interruptEntries(int index, int mask);

    /** Every interrupt-remapping table entry; throws as above. */
    void interruptGlobal();

    /** Whether absent entries are cached, so that filling one needs an invalidation (CAP.CM). */
    boolean remembersAbsence();
}

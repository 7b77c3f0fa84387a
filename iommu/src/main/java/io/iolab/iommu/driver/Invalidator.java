package io.iolab.iommu.driver;

/**
 * Tells the unit what to forget, and returns when it has (VT-d 6.5). Granularities are those of the specification; a method that
 * names pages may invalidate more, never less.
 */
interface Invalidator {
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

    /**
     * The naturally aligned block of 2^{@code addressMask} pages at {@code iova} in a device's own cache.
     *
     * @param addressMask 0 to 52; 52 is everything
     * @return whether the device has answered; one that does not may go on using what it holds
     * @throws IllegalStateException without a queue, which device TLBs need
     */
    boolean deviceTlb(int rid, long iova, int addressMask);
}

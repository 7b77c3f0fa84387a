package io.iolab.iommu.cache;

/**
 * All caches of a unit, and the invalidations that software can ask for, each at exactly the granularity named (VT-d 6.2, 6.5).
 *
 * <pre>
 *   command                     context   PASID   IOTLB, paging structures
 *   context*                    x
 *   pasid*                                x
 *   iotlb*                                        second-level of the domain by address; everything first-level of the domain
 *   pasidIotlb*                                   first-level and nested of the PASID
 * </pre>
 *
 * <p>Nested and first-level translations have no second-level address to be selected by, so a page-selective invalidation of a
 * domain drops all of them in that domain.
 *
 * <p>Threading: invalidations under the unit's lock.
 */
public final class TranslationCaches {
    private static final int EVERYTHING = 64;

    private final CacheVersion version;
    private final ContextCache contexts;
    private final PasidCache pasids;
    private final PagingStructureCache tables;
    private final Iotlb iotlb;
    private final DeviceCaches devices = new DeviceCaches();

    public TranslationCaches(
            CacheVersion version, ContextCache contexts, PasidCache pasids, PagingStructureCache tables, Iotlb iotlb) {
        this.version = version;
        this.contexts = contexts;
        this.pasids = pasids;
        this.tables = tables;
        this.iotlb = iotlb;
    }

    public CacheVersion version() {
        return version;
    }

    public ContextCache contexts() {
        return contexts;
    }

    public PasidCache pasids() {
        return pasids;
    }

    public PagingStructureCache tables() {
        return tables;
    }

    public Iotlb iotlb() {
        return iotlb;
    }

    /** Where invalidations of device TLBs and page group responses go. */
    public DeviceCaches devices() {
        return devices;
    }

    /** Everything: what setting the root pointer does by itself with CAP.ESRTPS. */
    public void invalidateAll() {
        contexts.invalidateAll();
        pasids.invalidateAll();
        iotlbGlobal();
    }

    /** Nothing leaves the caches, but what requesters have decoded of them no longer counts: the mode has changed. */
    public void forgetBindings() {
        version.beginChange();
        version.bindingsChange();
        version.endChange();
    }

    public void iotlbGlobal() {
        drop(0, 0, 0, EVERYTHING, false);
    }

    public void iotlbDomain(int domain) {
        drop(domain, CacheSpace.DOMAIN, 0, EVERYTHING, false);
    }

    /**
     * Second-level translations of the domain in the naturally aligned block of two to the power of {@code addressMask} pages around
     * {@code iova}, and all first-level and nested translations of the domain. A large page goes when the block touches it.
     *
     * @param leafOnly IH: only leaves have changed, the paging-structure caches may stay
     */
    public void iotlbPages(int domain, long iova, int addressMask, boolean leafOnly) {
        long secondLevel = CacheSpace.DOMAIN | CacheSpace.FIRST_LEVEL;
        version.beginChange();
        iotlb.drop(domain, secondLevel, iova, 12 + addressMask);
        iotlb.drop(CacheSpace.FIRST_LEVEL | domain, secondLevel, 0, EVERYTHING);
        // A table entry of a first-level walk holds a second-level leaf's result, so IH says nothing about it.
        tables.drop(CacheSpace.FIRST_LEVEL | domain, secondLevel, 0, EVERYTHING);
        if (!leafOnly) {
            tables.drop(domain, secondLevel, iova, 12 + addressMask);
        }
        version.endChange();
    }

    /** All first-level and nested translations of a PASID. */
    public void pasidIotlb(int domain, int pasid) {
        drop(CacheSpace.ofPasid(domain, pasid), -1, 0, EVERYTHING, false);
    }

    /** First-level and nested translations of a PASID in a block of pages, as {@link #iotlbPages}. */
    public void pasidIotlbPages(int domain, int pasid, long iova, int addressMask, boolean leafOnly) {
        drop(CacheSpace.ofPasid(domain, pasid), -1, iova, 12 + addressMask, leafOnly);
    }

    private void drop(long space, long compare, long iova, int blockShift, boolean leafOnly) {
        version.beginChange();
        iotlb.drop(space, compare, iova, blockShift);
        if (!leafOnly) {
            tables.drop(space, compare, iova, blockShift);
        }
        version.endChange();
    }
}

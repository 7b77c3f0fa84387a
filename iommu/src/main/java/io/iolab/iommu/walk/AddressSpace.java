package io.iolab.iommu.walk;

import io.iolab.iommu.cache.CacheSpace;
import io.iolab.iommu.cache.Iotlb;
import io.iolab.iommu.register.Capabilities;
import io.iolab.iommu.table.ContextEntry;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.iommu.table.ScalableContextEntry;

/**
 * What context and PASID entries say about the requests of one requester under one PASID, decoded once: which tables, how wide, in
 * which space of the caches. Reused; {@link #version} tells which state of the context and PASID caches it was decoded under.
 *
 * <p>Threading: the thread that runs the requester.
 */
public final class AddressSpace {
    /** How addresses are translated. */
    public enum Kind {
        PASS_THROUGH,
        SECOND_LEVEL,
        FIRST_LEVEL,
        NESTED
    }

    private static final long NEVER = -1;

    private long version = NEVER;
    private boolean scalable;
    private Kind kind = Kind.PASS_THROUGH;
    private int domain;
    private long space;
    private long domainSpace;
    private long secondLevelTable;
    private int secondLevels;
    private int inputWidth;
    /** Bits that no address of these tables has. */
    private long beyond;

    private long firstLevelTable;
    private int firstLevels;
    private boolean writeProtect;
    private boolean noExecute;
    private boolean executePrevention;
    private boolean extendedAccessed;
    private boolean secondLevelAccessedDirty;
    private boolean walkSnoop;
    private long pageMarks;
    private boolean faultsDisabled;
    private boolean deviceTlb;
    private long required;
    private long writeRights;

    /** Nothing is known any more. */
    public void forget() {
        version = NEVER;
    }

    /** @param low a valid context entry */
    public void decodeLegacy(long low, long high, Capabilities capabilities) {
        scalable = false;
        faultsDisabled = ContextEntry.faultsDisabled(low);
        deviceTlb = ContextEntry.translationType(low) == ContextEntry.TYPE_DEVICE_TLB;
        domain = ContextEntry.domain(high);
        domainSpace = CacheSpace.ofDomain(domain);
        space = domainSpace;
        kind = ContextEntry.translationType(low) == ContextEntry.TYPE_PASS_THROUGH
                ? Kind.PASS_THROUGH
                : Kind.SECOND_LEVEL;
        secondLevelTable = ContextEntry.pageTable(low, capabilities);
        secondLevels = ContextEntry.levels(high);
        inputWidth = capabilities.guestAddressWidth();
        if (kind == Kind.SECOND_LEVEL) {
            inputWidth = Math.min(inputWidth, ContextEntry.addressWidth(high));
        }
        beyond = -1L << inputWidth;
        secondLevelAccessedDirty = false;
        walkSnoop = true;
        pageMarks = 0;
        required = 0;
        writeRights = Iotlb.WRITE;
    }

    /**
     * @param word0 a valid PASID entry
     * @param pasid its PASID
     * @param contextLow qword 0 of its context entry
     */
    public void decodeScalable(
            long word0, long word1, long word2, int pasid, long contextLow, Capabilities capabilities) {
        scalable = true;
        faultsDisabled = ScalableContextEntry.faultsDisabled(contextLow) || PasidEntry.faultsDisabled(word0);
        deviceTlb = ScalableContextEntry.deviceTlb(contextLow);
        domain = PasidEntry.domain(word1);
        domainSpace = CacheSpace.ofDomain(domain);
        kind = switch (PasidEntry.type(word0)) {
            case PasidEntry.TYPE_FIRST_LEVEL -> Kind.FIRST_LEVEL;
            case PasidEntry.TYPE_SECOND_LEVEL -> Kind.SECOND_LEVEL;
            case PasidEntry.TYPE_NESTED -> Kind.NESTED;
            default -> Kind.PASS_THROUGH;
        };
        boolean hasFirstLevel = kind == Kind.FIRST_LEVEL || kind == Kind.NESTED;
        space = hasFirstLevel ? CacheSpace.ofPasid(domain, pasid) : domainSpace;
        secondLevelTable = PasidEntry.secondLevelTable(word0, capabilities);
        secondLevels = PasidEntry.addressWidthCode(word0) + 2;
        inputWidth = capabilities.guestAddressWidth();
        if (kind == Kind.SECOND_LEVEL || kind == Kind.NESTED) {
            inputWidth = Math.min(inputWidth, 12 + 9 * secondLevels);
        }
        beyond = hasFirstLevel ? 0 : -1L << inputWidth;
        secondLevelAccessedDirty = PasidEntry.secondLevelAccessedDirty(word0);
        firstLevelTable = PasidEntry.firstLevelTable(word2);
        firstLevels = PasidEntry.firstLevels(word2);
        writeProtect = PasidEntry.writeProtect(word2);
        noExecute = PasidEntry.noExecute(word2);
        executePrevention = PasidEntry.supervisorExecutePrevention(word2);
        extendedAccessed = PasidEntry.extendedAccessed(word2);
        walkSnoop = capabilities.scalableCoherentWalks() || PasidEntry.pageWalkSnoop(word1);
        pageMarks = PasidEntry.pageSnoop(word1) ? Iotlb.SNOOP : 0;
    }

    /**
     * With which privilege the requests are made, and whether they ask to execute (scalable mode).
     *
     * @param privileged supervisor privilege
     */
    public void request(boolean privileged, boolean execute) {
        if (privileged) {
            required = execute ? Iotlb.SUPERVISOR_EXECUTE : 0;
            writeRights = Iotlb.SUPERVISOR_WRITE;
        } else {
            required = Iotlb.USER | (execute ? Iotlb.EXECUTE : 0);
            writeRights = Iotlb.WRITE;
        }
    }

    /** @param bindings of {@link io.iolab.iommu.cache.CacheVersion} when the entries were looked up */
    public void decodedUnder(long bindings) {
        version = bindings;
    }

    /** Whether nothing in the context and PASID caches has changed since {@link #decodedUnder}. */
    public boolean currentUnder(long bindings) {
        return version == bindings;
    }

    public Kind kind() {
        return kind;
    }

    public boolean isPassThrough() {
        return kind == Kind.PASS_THROUGH;
    }

    /** Whether reasons of scalable mode apply. */
    public boolean isScalable() {
        return scalable;
    }

    public int domain() {
        return domain;
    }

    /** Under which the IOTLB keeps its translations. */
    public long space() {
        return space;
    }

    /** Under which second-level tables are cached. */
    long domainSpace() {
        return domainSpace;
    }

    /** FPD of any entry that led here. */
    public boolean faultsDisabled() {
        return faultsDisabled;
    }

    /** Whether translation requests and translated requests are allowed. */
    public boolean deviceTlb() {
        return deviceTlb;
    }

    /** Whether an entry of the IOTLB lets a request through. */
    public boolean allows(long entry, long needs) {
        return (entry & needs) != 0 && (required & ~entry) == 0;
    }

    /**
     * The marks of which a page must have one.
     *
     * @param access {@link Iotlb#READ}, {@link Iotlb#WRITE} or both
     */
    public long needs(long access) {
        return access & Iotlb.READ | ((access & Iotlb.WRITE) != 0 ? writeRights : 0);
    }

    /** {@link Iotlb#READ} and {@link Iotlb#WRITE} as an entry that {@link #allows} these requests grants them. */
    public long access(long entry) {
        return entry & Iotlb.READ | ((entry & writeRights) != 0 ? Iotlb.WRITE : 0);
    }

    /** Marks that a page must have for these requests, all of them. */
    public long required() {
        return required;
    }

    /** The mark that a page must have for these requests to write it. */
    public long writeRights() {
        return writeRights;
    }

    /** Whether an address is one that these tables can translate; first-level addresses have a check of their own. */
    public boolean covers(long iova) {
        return (iova & beyond) == 0;
    }

    /** Bits in an address that the second-level table takes, or that passes through. */
    int inputWidth() {
        return inputWidth;
    }

    long secondLevelTable() {
        return secondLevelTable;
    }

    int secondLevels() {
        return secondLevels;
    }

    long firstLevelTable() {
        return firstLevelTable;
    }

    int firstLevels() {
        return firstLevels;
    }

    boolean writeProtect() {
        return writeProtect;
    }

    boolean noExecute() {
        return noExecute;
    }

    boolean executePrevention() {
        return executePrevention;
    }

    boolean extendedAccessed() {
        return extendedAccessed;
    }

    boolean secondLevelAccessedDirty() {
        return secondLevelAccessedDirty;
    }

    /** Whether accessed and dirty bits can be updated. */
    boolean walkSnoop() {
        return walkSnoop;
    }

    /** {@link Iotlb#SNOOP} for every page, or 0. */
    long pageMarks() {
        return pageMarks;
    }
}

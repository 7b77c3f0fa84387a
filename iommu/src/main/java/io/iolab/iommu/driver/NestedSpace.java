package io.iolab.iommu.driver;

import java.util.TreeSet;

/**
 * The address spaces of one function whose first-level tables are a guest's: the unit walks them where they are, each address in them
 * through the second-level table of a parent domain, which maps the guest's memory (VT-d 3.8, PASID entries of type nested). One space
 * for each PASID; requests without PASID have one of these ({@link #requests}). What has no space is blocked.
 *
 * <p>The domain id is the function's own, since first-level translations are cached by domain and PASID, and two functions may use one
 * PASID for different tables. What is unmapped in the parent domain is forgotten here too.
 *
 * <p>A function may cache translations itself ({@link IommuDriver#attachNested}). It is then asked to forget, too, whatever the
 * unit is told to forget here, so that whoever repeats a guest's invalidations need not know. Its requests with PASID are blocked: what it
 * caches of those takes another command (VT-d 6.5.2.6). If it does not answer it is blocked until it is attached again.
 *
 * <p>Each change returns when the unit has forgotten what was before. Threading: as {@link IommuDriver}.
 */
public final class NestedSpace {
    /** PASIDs from here on have no place in the function's directory. */
    public static final int PASID_LIMIT = PasidTables.LIMIT;

    private final int rid;
    private final int id;
    private final Domain parent;
    private final long parentTableHpa;
    private final boolean deviceTlb;
    private final NestedSpaces all;
    private final UnitRegisters unit;
    private final PasidTables tables;
    private final Invalidator invalidator;
    private final TreeSet<Integer> present = new TreeSet<>();
    private boolean isolated;

    NestedSpace(
            int rid,
            int id,
            Domain parent,
            long parentTableHpa,
            boolean deviceTlb,
            NestedSpaces all,
            PasidTables tables) {
        this.rid = rid;
        this.id = id;
        this.parent = parent;
        this.parentTableHpa = parentTableHpa;
        this.deviceTlb = deviceTlb;
        this.all = all;
        unit = all.unit;
        this.tables = tables;
        invalidator = all.invalidator;
        requests(0, false);
    }

    /** The domain id that tags what the unit caches of these spaces. */
    public int id() {
        return id;
    }

    /** Whether requests without PASID can have any other than 0 (RPS). */
    public boolean takesRequesterPasid() {
        return unit.requesterPasid();
    }

    /**
     * Which PASID requests without one have (RID_PASID), 0 at first, and whether requests may carry one at all (PASIDE), as far as the
     * unit offers it and the function caches nothing itself, and not at first.
     *
     * @param requesterPasid below {@link #PASID_LIMIT}; 0 unless {@link #takesRequesterPasid}
     */
    public void requests(int requesterPasid, boolean pasids) {
        checked(requesterPasid);
        if (isolated) {
            return;
        }
        tables.open(rid, requesterPasid, pasids && unit.pasids() && !deviceTlb, deviceTlb);
        invalidator.contextDevice(0, rid);
    }

    /**
     * Lets requests of one PASID through first-level tables.
     *
     * @param pasid below {@link #PASID_LIMIT}
     * @param firstLevelGpa of the top table, a multiple of 4096
     * @param flags SRE, ERE, FLPM, WPE, NXE, SMEP and EAFE as the third word of a PASID entry has them (VT-d 9.6); what the unit does
     *     not offer of them it refuses request by request
     */
    public void nest(int pasid, long firstLevelGpa, int flags) {
        block(pasid);
        if (isolated) {
            return;
        }
        tables.setNested(
                rid, checked(pasid), id, unit.addressWidthCode(), parentTableHpa, firstLevelGpa | flags & 0xFFF);
        appeared(pasid);
    }

    /** Lets requests of one PASID reach the parent domain as it is. */
    public void direct(int pasid) {
        block(pasid);
        if (isolated) {
            return;
        }
        tables.setSecondLevel(rid, checked(pasid), id, unit.addressWidthCode(), parentTableHpa);
        appeared(pasid);
    }

    private static int checked(int pasid) {
        if (pasid < 0 || pasid >= PASID_LIMIT) {
            throw new IllegalArgumentException("PASID " + pasid);
        }
        return pasid;
    }

    /** A device remembers no absence. */
    private void appeared(int pasid) {
        present.add(pasid);
        if (invalidator.remembersAbsence()) {
            invalidator.pasid(0, pasid);
            forget(pasid);
        }
    }

    /** Blocks the requests of one PASID. PASID entries are forgotten before what was translated with them (VT-d 6.5.3.1). */
    public void block(int pasid) {
        if (disappear(pasid)) {
            forgetInDevice(0, Invalidator.ALL_PAGES);
        }
    }

    private boolean disappear(int pasid) {
        boolean was = present.remove(pasid);
        if (was) {
            tables.clear(rid, pasid);
            invalidator.pasid(id, pasid);
            forget(pasid);
        }
        return was;
    }

    /** The domain's second-level translations are tagged with no PASID. */
    private void forget(int pasid) {
        invalidator.pasidIotlb(id, pasid);
        invalidator.iotlbDomain(id);
    }

    /** The unit first, or the device could be given again what it has just forgotten (VT-d 6.5.3). */
    private void forgetInDevice(long iova, int addressMask) {
        if (deviceTlb && !isolated && !invalidator.deviceTlb(rid, iova, addressMask)) {
            isolated = true;
            all.isolated();
            for (int pasid : new TreeSet<>(present)) {
                disappear(pasid);
            }
            tables.clear(rid);
            invalidator.contextDevice(0, rid);
        }
    }

    /** Forgets what was translated for one PASID. */
    public void invalidate(int pasid) {
        invalidator.pasidIotlb(id, pasid);
        forgetInDevice(0, Invalidator.ALL_PAGES);
    }

    /** Forgets what was translated, whatever the PASID. */
    public void invalidateAll() {
        invalidator.iotlbDomain(id);
        forgetInDevice(0, Invalidator.ALL_PAGES);
    }

    /**
     * Forgets a block of pages of one PASID.
     *
     * @param addressMask of the naturally aligned block of 2 to this power pages around {@code iova}, any that is not negative; the whole
     *     PASID where the unit takes none that large
     * @param leafOnly whether tables above the leaves are as they were (IH)
     */
    public void invalidatePages(int pasid, long iova, int addressMask, boolean leafOnly) {
        if (addressMask > Math.min(unit.maximumAddressMask(), Invalidator.ALL_PAGES - 1)) {
            invalidate(pasid);
        } else {
            long block = iova & -1L << 12 + addressMask;
            invalidator.pasidIotlbPages(id, pasid, block, addressMask, leafOnly);
            forgetInDevice(block, addressMask);
        }
    }

    boolean isBehind(Domain domain) {
        return domain == parent;
    }

    /** Blocks every PASID; the parent has nothing more to forget here. */
    void leave() {
        for (int pasid : new TreeSet<>(present)) {
            block(pasid);
        }
        parent.nestedIds().remove(id);
    }
}

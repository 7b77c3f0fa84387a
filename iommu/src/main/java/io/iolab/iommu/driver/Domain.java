package io.iolab.iommu.driver;

import io.iolab.devices.memory.AddressRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An address space for devices: one second-level table, one domain id. Every requester attached to it sees the same mappings. A
 * pass-through domain has no table; its devices address host memory directly.
 *
 * <p>Unmapping is strict: when {@link #unmap} returns, no device reaches the range any more and its memory may be used again.
 *
 * <p>Threading: one thread at a time for a driver and its domains; devices may run meanwhile.
 */
public final class Domain {
    private final IommuDriver driver;
    private final int id;
    private final @Nullable PageTable table;
    private final long limit;
    private final Set<Integer> deviceTlbs = new TreeSet<>();
    private final Set<Integer> nestedIds = new TreeSet<>();
    private final List<IovaAllocator.Reserved> reserved = new ArrayList<>();
    private long mappedBytes;
    private int attached;
    private boolean destroyed;
    private boolean tracking;
    /** Whether something was unmapped that the unit may still know. */
    private boolean stale;

    /** @param limit first address that the domain cannot translate */
    Domain(IommuDriver driver, int id, @Nullable PageTable table, long limit) {
        this.driver = driver;
        this.id = id;
        this.table = table;
        this.limit = limit;
    }

    /** The id that tags this domain's entries in the unit's caches. */
    public int id() {
        return id;
    }

    public boolean isPassThrough() {
        return table == null;
    }

    /** First address beyond what can be mapped. */
    public long limit() {
        return limit;
    }

    /** Bytes mapped now. */
    public long mappedBytes() {
        return mappedBytes;
    }

    /**
     * Keeps addresses out of the hands of mappers that are made from now on: windows of PCI bridges, where a request of a function behind
     * one could be taken for a peer's, as Linux does for those of host bridges. {@link #map} takes them all the same. The interrupt range
     * needs no word.
     *
     * @param length bytes, 1 or more; the range is widened to whole pages and may leave the domain
     */
    public void reserve(long first, long length) {
        if (first < 0 || length <= 0 || AddressRange.wraps(first, length)) {
            throw new IllegalArgumentException("0x" + Long.toHexString(first) + ", " + length + " bytes");
        }
        reserved.add(new IovaAllocator.Reserved(first, first + length - 1));
    }

    /**
     * Maps memory that firmware has a device use (RMRR, VT-d 8.4) to itself, and reserves its addresses. To be called before the device is
     * attached, so that it never misses that memory.
     *
     * @throws IllegalArgumentException as {@link #map}
     * @throws IllegalStateException as {@link #map}
     */
    public void reserveIdentity(long first, long length) {
        map(first, first, length, MapRights.READ_WRITE);
        reserve(first, length);
    }

    List<IovaAllocator.Reserved> reserved() {
        return reserved;
    }

    /**
     * Maps {@code [iova, iova + length)} to {@code [hpa, hpa + length)} with the largest pages that fit.
     *
     * @param length bytes; all three multiples of 4096
     * @throws IllegalArgumentException if a number is not page-aligned or the range leaves the domain; nothing has changed
     * @throws IllegalStateException if part of the range is mapped already, or for a pass-through domain; nothing has changed
     */
    public void map(long iova, long hpa, long length, MapRights rights) {
        PageTable pages = checked(iova, length);
        if ((hpa & AddressRange.PAGE_SIZE - 1) != 0 || hpa < 0 || AddressRange.wraps(hpa, length)) {
            throw new IllegalArgumentException("hpa 0x" + Long.toHexString(hpa) + " of " + length + " bytes");
        }
        if (!pages.isFree(iova, length)) {
            throw new IllegalStateException(
                    "0x" + Long.toHexString(iova) + ", " + length + " bytes: part of it is mapped");
        }
        pages.map(iova, hpa, length, rights);
        mappedBytes += length;
        if (pages.hasUnlinked()) {
            // An empty table made way for a large page: a walk that the unit has begun in it must not go on there.
            driver.unmapped(this, iova, length, false);
            freeRetired(pages);
        } else {
            driver.mapped(this, iova, length);
        }
    }

    /**
     * Unmaps everything in {@code [iova, iova + length)}, holes allowed, and returns when the unit has forgotten it.
     *
     * <p>A large page goes as a whole or not at all. To split it, the table that replaces it would have to be in force with the very
     * translations of the page before a part is taken out, with two invalidations for it; nobody needs that. Linux splits no page
     * either: its driver unmaps the whole page and says so, and VFIO's second type refuses, as is done here.
     *
     * @return bytes that were mapped
     * @throws IllegalArgumentException if a number is not page-aligned, the range leaves the domain, or it would split a large
     *     page; nothing has changed
     */
    public long unmap(long iova, long length) {
        PageTable pages = whole(iova, length);
        return unmapped(pages, iova, length, pages.unmap(iova, length));
    }

    /**
     * As {@link #unmap(long, long)}, and hands out the pages of the range that were written since they were last asked for.
     *
     * @throws IllegalStateException unless {@link #tracksDirty}
     */
    public long unmap(long iova, long length, DirtyPages dirty) {
        checkTracking();
        PageTable pages = whole(iova, length);
        return unmapped(pages, iova, length, pages.unmap(iova, length, dirty));
    }

    private PageTable whole(long iova, long length) {
        PageTable pages = checked(iova, length);
        if (pages.splitsPage(iova, length)) {
            throw new IllegalArgumentException(
                    "0x" + Long.toHexString(iova) + ", " + length + " bytes: an end lies inside a large page");
        }
        return pages;
    }

    private long unmapped(PageTable pages, long iova, long length, long unmapped) {
        mappedBytes -= unmapped;
        if (unmapped != 0 || pages.hasUnlinked()) {
            driver.unmapped(this, iova, length, !pages.hasUnlinked());
        }
        freeRetired(pages);
        return unmapped;
    }

    /** Tables that a deferred unmap left must stay until the whole domain is flushed. */
    private void freeRetired(PageTable pages) {
        pages.linked();
        if (!stale) {
            pages.freeRetired();
        }
    }

    /**
     * As {@link #unmap} without invalidation: devices may reach the range until {@link #flush}, and until then nothing may be mapped
     * there.
     */
    long unmapUnflushed(long iova, long length) {
        PageTable pages = whole(iova, length);
        stale = true;
        long unmapped = pages.unmap(iova, length);
        pages.linked();
        mappedBytes -= unmapped;
        return unmapped;
    }

    /** Returns when the unit has forgotten every translation of this domain that is no longer in its table. */
    public void flush() {
        driver.flush(this);
        stale = false;
        if (table != null) {
            table.freeRetired();
        }
    }

    /** Whether the unit can tell which pages devices write: second-level tables of scalable mode, and ECAP.SLADS with SMPWCS. */
    public boolean supportsDirtyTracking() {
        return table != null && driver.supportsDirtyTracking();
    }

    public boolean tracksDirty() {
        return tracking;
    }

    /**
     * Has the unit note the pages that devices write from now on, or no more; again changes nothing.
     *
     * @throws IllegalStateException without {@link #supportsDirtyTracking}
     */
    public void trackDirty(boolean on) {
        PageTable pages = table;
        if (pages == null || destroyed || !driver.supportsDirtyTracking()) {
            throw new IllegalStateException("domain " + id + ": nobody notes which pages are written");
        }
        if (on != tracking) {
            tracking = on;
            if (on) {
                // What an earlier tracking left; none is set meanwhile.
                pages.takeDirty(0, limit, (iova, length) -> {});
            }
            driver.trackDirty(this, on);
        }
    }

    /**
     * Hands out the pages of a range that devices have written since tracking began or they were last handed out. When it returns, the
     * next write to any of them will be noted again: the unit, and devices that cache translations themselves, have forgotten that they
     * were written already (VT-d 3.7, 6.5.3).
     *
     * @throws IllegalArgumentException if a number is not page-aligned or the range leaves the domain
     * @throws IllegalStateException unless {@link #tracksDirty}
     */
    public void takeDirty(long iova, long length, DirtyPages pages) {
        checkTracking();
        boolean[] any = new boolean[1];
        checked(iova, length).takeDirty(iova, length, (page, size) -> {
            any[0] = true;
            pages.dirty(page, size);
        });
        if (any[0]) {
            driver.unmapped(this, iova, length, true);
        }
    }

    private void checkTracking() {
        if (!tracking) {
            throw new IllegalStateException("domain " + id + ": nobody notes which pages are written");
        }
    }

    /** Where the tables lead for {@code iova}, or -1; caches of the unit play no part. */
    public long translate(long iova) {
        if (table == null) {
            return iova;
        }
        return iova < 0 || iova >= limit ? -1 : table.translate(iova);
    }

    private PageTable checked(long iova, long length) {
        if (table == null || destroyed) {
            throw new IllegalStateException("domain " + id + " has no page table");
        }
        if (((iova | length) & AddressRange.PAGE_SIZE - 1) != 0
                || length <= 0
                || !AddressRange.contains(0, limit, iova, length)) {
            throw new IllegalArgumentException("iova 0x" + Long.toHexString(iova) + ", " + length + " bytes");
        }
        return table;
    }

    /**
     * Gives tables and id back.
     *
     * @throws IllegalStateException while a requester is attached
     */
    public void destroy() {
        if (attached != 0) {
            throw new IllegalStateException("domain " + id + " is in use");
        }
        if (!destroyed) {
            if (tracking) {
                trackDirty(false);
            }
            destroyed = true;
            driver.destroyed(this);
            if (table != null) {
                table.freeRetired();
                table.free();
            }
        }
    }

    @Nullable
    PageTable table() {
        return table;
    }

    /** Attached requesters that may cache translations themselves. */
    Set<Integer> deviceTlbs() {
        return deviceTlbs;
    }

    /** Domain ids under which the unit caches translations that went through this table (VT-d 3.8). */
    Set<Integer> nestedIds() {
        return nestedIds;
    }

    void attached(int change) {
        attached += change;
    }

    boolean isDestroyed() {
        return destroyed;
    }
}

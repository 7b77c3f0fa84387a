package io.iolab.iommu.cache;

import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.table.ContextEntry;
import org.jspecify.annotations.Nullable;

/**
 * Context entries by requester: set-associative, replaced in the order of arrival within a set. Entries stay until they are
 * invalidated or replaced, whatever happens in memory.
 *
 * <p>Entries of legacy mode carry a domain and are invalidated by it. Those of scalable mode have none: a domain-selective
 * invalidation takes them all, and a device-selective one goes by requester alone (VT-d 6.5.2.1).
 *
 * <p>With caching mode the unit also keeps the fact that a requester has no context entry. Such a negative entry is tagged with
 * domain 0 (VT-d 6.1).
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes under the unit's lock.
 */
public final class ContextCache {
    private static final int VALID = 1 << 31;
    private static final int SCALABLE = 1 << 24;
    private static final int REASON_SHIFT = 16;
    private static final int REQUESTER = 0xFFFF;

    private final int sets;
    private final int ways;
    private final CacheVersion version;
    /** VALID, SCALABLE, the code of the fault in a negative entry, and the requester id. */
    private final int[] tags;

    private final long[] lows;
    private final long[] highs;
    private final byte[] victims;

    public ContextCache(CacheGeometry geometry, CacheVersion version) {
        this.sets = geometry.sets();
        this.ways = geometry.ways();
        this.version = version;
        tags = new int[geometry.entries()];
        lows = new long[geometry.entries()];
        highs = new long[geometry.entries()];
        victims = new byte[sets];
    }

    /** The slot of this requester in this mode, or -1. */
    public int find(int rid, boolean scalable) {
        int wanted = VALID | (scalable ? SCALABLE : 0) | rid;
        int slot = (rid & sets - 1) * ways;
        for (int end = slot + ways; slot < end; slot++) {
            if ((tags[slot] & (VALID | SCALABLE | REQUESTER)) == wanted) {
                return slot;
            }
        }
        return -1;
    }

    /** The low word of a legacy entry, qword 0 of a scalable one. */
    public long low(int slot) {
        return lows[slot];
    }

    public long high(int slot) {
        return highs[slot];
    }

    /** The fault of a negative entry; null for a usable one. */
    public @Nullable FaultReason reason(int slot) {
        int code = tags[slot] >>> REASON_SHIFT & 0xFF;
        return code == 0 ? null : FaultReason.ofCode(code);
    }

    public void fill(int rid, boolean scalable, long low, long high) {
        place(VALID | (scalable ? SCALABLE : 0) | rid, low, high);
    }

    /** @param low what was read of the entry: its FPD still counts */
    public void fillNegative(int rid, boolean scalable, long low, FaultReason reason) {
        place(VALID | (scalable ? SCALABLE : 0) | reason.code() << REASON_SHIFT | rid, low, 0);
    }

    private void place(int tag, long low, long high) {
        int slot = freeSlot(tag & REQUESTER & sets - 1);
        version.beginChange();
        tags[slot] = tag;
        lows[slot] = low;
        highs[slot] = high;
        version.bindingsChange();
        version.endChange();
    }

    private int freeSlot(int set) {
        for (int way = 0; way < ways; way++) {
            if (tags[set * ways + way] == 0) {
                return set * ways + way;
            }
        }
        int way = victims[set];
        victims[set] = (byte) (way + 1 == ways ? 0 : way + 1);
        return set * ways + way;
    }

    public void invalidateAll() {
        version.beginChange();
        java.util.Arrays.fill(tags, 0);
        version.bindingsChange();
        version.endChange();
    }

    public void invalidateDomain(int domain) {
        invalidate(domain, 0, 0);
    }

    /** @param functionMask requester id bits that do not count: 0, 4, 6 or 7 */
    public void invalidateDevice(int domain, int rid, int functionMask) {
        invalidate(domain, rid, REQUESTER & ~functionMask);
    }

    private void invalidate(int domain, int rid, int compare) {
        version.beginChange();
        for (int slot = 0; slot < tags.length; slot++) {
            boolean ofDomain = (tags[slot] & SCALABLE) != 0 || ContextEntry.domain(highs[slot]) == domain;
            if (ofDomain && ((tags[slot] ^ rid) & compare) == 0) {
                tags[slot] = 0;
            }
        }
        version.bindingsChange();
        version.endChange();
    }
}

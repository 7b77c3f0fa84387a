package io.iolab.iommu.cache;

import io.iolab.iommu.fault.FaultReason;
import org.jspecify.annotations.Nullable;

/**
 * PASID table entries of scalable mode by requester and PASID, tagged with the domain that they name: set-associative, replaced
 * in the order of arrival within a set, kept until invalidated (VT-d 6.2.3). With caching mode the absence of an entry is kept
 * too, under domain 0.
 *
 * <p>Threading: look-ups from any thread, believed only under a {@link CacheVersion}; changes under the unit's lock.
 */
public final class PasidCache {
    private static final long VALID = 1L << 63;
    private static final int PASID_SHIFT = 16;
    private static final long KEY = VALID | (1L << 36) - 1;
    private static final int REASON_SHIFT = 40;

    private final int sets;
    private final int ways;
    private final CacheVersion version;
    /** VALID, fault code of a negative entry (47:40), PASID (35:16), requester (15:0). */
    private final long[] tags;

    private final long[] first;
    private final long[] second;
    private final long[] third;
    private final byte[] victims;

    public PasidCache(CacheGeometry geometry, CacheVersion version) {
        this.sets = geometry.sets();
        this.ways = geometry.ways();
        this.version = version;
        tags = new long[geometry.entries()];
        first = new long[geometry.entries()];
        second = new long[geometry.entries()];
        third = new long[geometry.entries()];
        victims = new byte[sets];
    }

    private int set(int rid, int pasid) {
        return (rid ^ pasid) & sets - 1;
    }

    /** The slot of this requester and PASID, or -1. */
    public int find(int rid, int pasid) {
        long wanted = VALID | (long) pasid << PASID_SHIFT | rid;
        int slot = set(rid, pasid) * ways;
        for (int end = slot + ways; slot < end; slot++) {
            if ((tags[slot] & KEY) == wanted) {
                return slot;
            }
        }
        return -1;
    }

    /** Qword 0 to 2 of the entry. */
    public long word(int slot, int index) {
        return switch (index) {
            case 0 -> first[slot];
            case 1 -> second[slot];
            default -> third[slot];
        };
    }

    /** The fault of a negative entry; null for a usable one. */
    public @Nullable FaultReason reason(int slot) {
        int code = (int) (tags[slot] >>> REASON_SHIFT) & 0xFF;
        return code == 0 ? null : FaultReason.ofCode(code);
    }

    public void fill(int rid, int pasid, long word0, long word1, long word2) {
        place(rid, pasid, 0, word0, word1, word2);
    }

    /** @param word0 what was read of the entry or its directory entry: its FPD still counts */
    public void fillNegative(int rid, int pasid, long word0, FaultReason reason) {
        place(rid, pasid, (long) reason.code() << REASON_SHIFT, word0, 0, 0);
    }

    private void place(int rid, int pasid, long reason, long word0, long word1, long word2) {
        int slot = freeSlot(set(rid, pasid));
        version.beginChange();
        tags[slot] = VALID | reason | (long) pasid << PASID_SHIFT | rid;
        first[slot] = word0;
        second[slot] = word1;
        third[slot] = word2;
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
        invalidate(0, 0, 0, 0);
    }

    /** All PASIDs of a domain. */
    public void invalidateDomain(int domain) {
        invalidate(domain, 0xFFFF, 0, 0);
    }

    /** One PASID of a domain, whichever requesters use it. */
    public void invalidatePasid(int domain, int pasid) {
        invalidate(domain, 0xFFFF, pasid, 0xF_FFFF);
    }

    private void invalidate(int domain, int compareDomain, int pasid, int comparePasid) {
        version.beginChange();
        for (int slot = 0; slot < tags.length; slot++) {
            boolean ofDomain = (((int) second[slot] ^ domain) & compareDomain) == 0;
            if (ofDomain && (((int) (tags[slot] >>> PASID_SHIFT) ^ pasid) & comparePasid) == 0) {
                tags[slot] = 0;
            }
        }
        version.bindingsChange();
        version.endChange();
    }
}

package io.iolab.iommu;

import java.util.ArrayList;
import java.util.List;

/**
 * Since when each kind of cache may hold what concerns one requester and PASID, as invalidations have it (VT-d 6.5.2). What was
 * invalidated page by page counts for addresses in those pages.
 */
final class CacheClock {
    /**
     * @param structures since when structures that a translation of this block came through may be remembered
     * @param leafOnly IH: paging-structure caches keep what they have
     */
    private record Block(long first, long last, long time, long structures, boolean leafOnly) {
        boolean covers(long iova) {
            return iova >= first && iova <= last;
        }
    }

    private final List<Block> secondBlocks = new ArrayList<>();
    private final List<Block> firstBlocks = new ArrayList<>();
    private long structures;
    private long structuresPending;
    private long first;
    private long second;

    /** The structure caches are empty of it; what the IOTLB took through them is not yet. */
    void structuresEmptied(long now) {
        structuresPending = now;
    }

    /** IOTLB and paging-structure caches are empty of the domain. */
    void secondEmptied(long now) {
        second = now;
        structures = structuresPending;
        secondBlocks.clear();
        firstEmptied(now);
    }

    /** IOTLB and paging-structure caches are empty of first-level and nested translations. */
    void firstEmptied(long now) {
        first = now;
        firstBlocks.clear();
    }

    private Block block(long now, long iova, int addressMask, boolean leafOnly) {
        long size = 4096L << addressMask;
        return new Block(iova & -size, (iova & -size) + size - 1, now, structuresPending, leafOnly);
    }

    /** A block of second-level translations, and with it everything first-level of the domain. */
    void secondInvalidated(long now, long iova, int addressMask, boolean leafOnly) {
        secondBlocks.add(block(now, iova, addressMask, leafOnly));
        firstEmptied(now);
    }

    /** A block of first-level and nested translations. */
    void firstInvalidated(long now, long iova, int addressMask, boolean leafOnly) {
        firstBlocks.add(block(now, iova, addressMask, leafOnly));
    }

    /** For requests with this address. */
    ReferenceState.Since since(long iova) {
        long structuresSince = structures;
        long secondSince = second;
        long secondLeaf = second;
        for (Block block : secondBlocks) {
            if (block.covers(iova)) {
                secondLeaf = Math.max(secondLeaf, block.time);
                if (!block.leafOnly) {
                    secondSince = Math.max(secondSince, block.time);
                    structuresSince = Math.max(structuresSince, block.structures);
                }
            }
        }
        long firstSince = first;
        long firstLeaf = first;
        for (Block block : firstBlocks) {
            if (block.covers(iova)) {
                firstLeaf = Math.max(firstLeaf, block.time);
                firstSince = block.leafOnly ? firstSince : Math.max(firstSince, block.time);
            }
        }
        // Nested, tables of the second level are remembered by guest physical addresses, which a block of the request's
        // does not name.
        return new ReferenceState.Since(
                structuresSince,
                firstSince,
                firstLeaf,
                secondSince,
                secondLeaf,
                structures,
                second,
                firstSince,
                firstLeaf);
    }
}

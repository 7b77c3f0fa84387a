package io.iolab.iommu.driver;

import java.util.BitSet;

/** The ids that tag domains in a unit's caches. */
final class DomainIds {
    private final BitSet used = new BitSet();
    private final int count;

    /** @param count that the unit can tell apart */
    DomainIds(int count) {
        this.count = count;
        // With caching mode the unit tags what it does not find with domain 0, so nobody may own that id.
        used.set(0);
    }

    /** @throws IllegalStateException if none is left */
    int allocate() {
        int id = used.nextClearBit(0);
        if (id >= count) {
            throw new IllegalStateException("all " + count + " domain ids are in use");
        }
        used.set(id);
        return id;
    }

    void free(int id) {
        used.clear(id);
    }
}

package io.iolab.iommu.driver;

/** What a mapping lets a device do. */
public enum MapRights {
    READ(1),
    WRITE(2),
    READ_WRITE(3);

    private final long bits;

    MapRights(long bits) {
        this.bits = bits;
    }

    /** R (bit 0) and W (bit 1) of a second-level entry. */
    long bits() {
        return bits;
    }
}

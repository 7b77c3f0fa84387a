package io.iolab.iommu.driver;

/** Which way data goes through a mapping, and with it what the device may do. */
public enum DmaDirection {
    /** The device reads. */
    TO_DEVICE(MapRights.READ),
    /** The device writes. */
    FROM_DEVICE(MapRights.WRITE),
    BIDIRECTIONAL(MapRights.READ_WRITE);

    private final MapRights rights;

    DmaDirection(MapRights rights) {
        this.rights = rights;
    }

    MapRights rights() {
        return rights;
    }

    boolean deviceReads() {
        return this != FROM_DEVICE;
    }

    boolean deviceWrites() {
        return this != TO_DEVICE;
    }
}

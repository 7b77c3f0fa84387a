package io.iolab.iommu.driver;

/** The structures that lead from a requester to its domain. Changes are published so that the unit never sees half of one. */
interface RequesterTables {
    /** What RTADDR takes: the root table and TTM. */
    long rootAddress();

    /** @param deviceTlb whether the requester may use translation services */
    void set(int rid, int domain, int addressWidthCode, long pageTableHpa, boolean deviceTlb);

    void setPassThrough(int rid, int domain, int addressWidthCode);

    /** Nothing of the requester is let through once the unit has forgotten what was there. */
    void clear(int rid);
}

package io.iolab.vmm.assign;

/** What a dirty bitmap says. */
public enum DirtySource {
    /**
     * Pages that devices wrote since they were last asked for, by the dirty bits of the tables, as Linux's iommufd has it. A large page is
     * dirty as a whole.
     */
    WRITTEN,
    /** All that is mapped, each time, as Linux's type 1 has it: devices may have written there, and nobody tells. */
    MAPPED
}

package io.iolab.devices.ringorder;

/** How a processor performs its stores. Loads are performed in program order. */
enum Model {
    /** At once: any interleaving, nothing else. */
    SEQUENTIAL,
    /** Later, in program order: x86. */
    TOTAL_STORE_ORDER,
    /** Later, in any order but for stores to the same place and for releases: as far as a release store promises. */
    PARTIAL_STORE_ORDER
}

package io.iolab.iommu.interrupt;

/**
 * What the commands have made of interrupt remapping, in one value, so that a message sees one state of it.
 *
 * @param enabled GSTS.IRES
 * @param compatibility GSTS.CFIS
 * @param tableHpa where the table lies, as latched by SIRTP
 * @param entries in the table: 2 to 65536; 0 before the first SIRTP, so that every index is beyond it
 * @param extended EIME: destinations have 32 bits
 */
record InterruptMode(boolean enabled, boolean compatibility, long tableHpa, int entries, boolean extended) {
    static final InterruptMode OFF = new InterruptMode(false, false, 0, 0, false);

    private static final int EXTENDED = 1 << 11;

    InterruptMode enabled(boolean on) {
        return new InterruptMode(on, compatibility, tableHpa, entries, extended);
    }

    InterruptMode compatibility(boolean on) {
        return new InterruptMode(enabled, on, tableHpa, entries, extended);
    }

    /** @param irta the register: table address 63:12, EIME 11, S 3:0 */
    InterruptMode table(long irta) {
        return new InterruptMode(
                enabled, compatibility, irta & ~0xFFFL, 2 << (int) (irta & 0xF), (irta & EXTENDED) != 0);
    }

    /** Whether a message of the compatibility format passes. */
    boolean passesCompatibility() {
        return compatibility && !extended;
    }
}

package io.iolab.iommu.driver;

/**
 * Who may use an interrupt-remapping table entry: SVT, SQ and SID (VT-d 9.9).
 *
 * @param bits bits 19:0 of the entry's upper word
 */
public record SourceCheck(int bits) {
    private static final int SOURCE = 1 << 18;
    private static final int BUSES = 2 << 18;

    /** Any source: a device can then raise every other one's interrupts. */
    public static SourceCheck none() {
        return new SourceCheck(0);
    }

    /** One requester. */
    public static SourceCheck requester(int rid) {
        return new SourceCheck(SOURCE | rid & 0xFFFF);
    }

    /**
     * Functions of one device that agree in what is left of the function number.
     *
     * @param ignored 1: bit 2 does not count; 2: bits 2:1; 3: all
     */
    public static SourceCheck functions(int rid, int ignored) {
        return new SourceCheck(SOURCE | (ignored & 3) << 16 | rid & 0xFFFF);
    }

    /** Every source on these buses, both included: for what lies behind a bridge. */
    public static SourceCheck buses(int first, int last) {
        return new SourceCheck(BUSES | (first & 0xFF) << 8 | last & 0xFF);
    }
}

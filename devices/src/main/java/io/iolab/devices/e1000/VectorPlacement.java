package io.iolab.devices.e1000;

/** Where an 82574L has its MSI-X table and pending bits. */
enum VectorPlacement {
    /** In BAR3, which holds nothing else, as the part is made (82574 datasheet 9.3.4.2). */
    OWN_BAR(3, 0x0000, 0x2000),
    /** In BAR0, in the 4 KiB page of the transmit registers. */
    TRANSMIT_PAGE(0, 0x3A00, 0x3B00);

    private final int bar;
    private final int table;
    private final int pendingBits;

    VectorPlacement(int bar, int table, int pendingBits) {
        this.bar = bar;
        this.table = table;
        this.pendingBits = pendingBits;
    }

    /** Of both. */
    int bar() {
        return bar;
    }

    /** From the start of the BAR; so is {@link #pendingBits}. */
    int table() {
        return table;
    }

    int pendingBits() {
        return pendingBits;
    }
}

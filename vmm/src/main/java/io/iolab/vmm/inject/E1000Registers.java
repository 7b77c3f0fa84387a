package io.iolab.vmm.inject;

/** Offsets in BAR 0 of the 8254x family that defects look at (8254x SDM section 13). */
final class E1000Registers {
    static final int BAR = 0;
    static final int ICR = 0x00C0;
    static final int IMS = 0x00D0;
    static final int RDLEN = 0x2808;
    static final int RDT = 0x2818;
    static final int TDT = 0x3818;
    static final int DESCRIPTOR_SIZE = 16;

    private E1000Registers() {}
}

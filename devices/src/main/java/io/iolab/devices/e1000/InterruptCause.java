package io.iolab.devices.e1000;

/** Bits of ICR, ICS, IMS and IMC (82540 SDM 13.4; 82574 datasheet 10.2). */
final class InterruptCause {
    /** A transmit descriptor that asked for it was written back. */
    static final int TXDW = 1;
    /** The transmit queue ran empty. */
    static final int TXQE = 1 << 1;
    /** Link status change. */
    static final int LSC = 1 << 2;
    /** Free receive descriptors fell to the threshold. */
    static final int RXDMT0 = 1 << 4;
    /** Receiver overrun: a packet was lost. */
    static final int RXO = 1 << 6;
    /** Receive timer. */
    static final int RXT0 = 1 << 7;
    /** MDIO access complete. */
    static final int MDAC = 1 << 9;
    /** Transmit descriptors fell to the low threshold. */
    static final int TXD_LOW = 1 << 15;
    /** Small receive packet detected. */
    static final int SRPD = 1 << 16;
    /** A TCP acknowledgement arrived (82574). */
    static final int ACK = 1 << 17;
    /** Manageability event (82574). */
    static final int MNG = 1 << 18;

    static final int RXQ0 = 1 << 20;
    static final int RXQ1 = 1 << 21;
    static final int TXQ0 = 1 << 22;
    static final int TXQ1 = 1 << 23;
    /** Any of {@link #OTHERS}, in MSI-X mode (82574). */
    static final int OTHER = 1 << 24;
    /** Read-only: an unmasked cause is pending (82574). */
    static final int INT_ASSERTED = 1 << 31;

    /** What {@link #OTHER} stands for. */
    static final int OTHERS = LSC | RXO | MDAC | SRPD | ACK | MNG;
    /** The causes that IVAR routes to vectors. */
    static final int ROUTED = RXQ0 | RXQ1 | TXQ0 | TXQ1 | OTHER;

    private InterruptCause() {}
}

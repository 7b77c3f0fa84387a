package io.iolab.vmm.ledger;

/** As the guest sees it. */
public enum Direction {
    TX,
    RX
}

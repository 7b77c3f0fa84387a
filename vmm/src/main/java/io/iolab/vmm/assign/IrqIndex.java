package io.iolab.vmm.assign;

/** Kinds of interrupt by VFIO's index. */
public enum IrqIndex {
    INTX,
    MSI,
    MSIX,
    ERR,
    REQ
}

package io.iolab.devices.dma;

/** What a DMA request carries. It has no meaning to the memory; it is what the ledger tells apart. */
public enum DmaKind {
    /** Descriptors, rings, indices, write-backs. */
    DESCRIPTOR,
    /** Frame bytes. */
    PAYLOAD,
    /** An interrupt message: a write to 0xFEEx_xxxx. */
    MESSAGE
}

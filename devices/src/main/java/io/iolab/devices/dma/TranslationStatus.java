package io.iolab.devices.dma;

/** Status of a translation completion (PCIe 4.0 10.2.3). */
public enum TranslationStatus {
    SUCCESS,
    /** UR: this function may not ask. It is to stop using translation services. */
    UNSUPPORTED_REQUEST,
    /** CA: the unit failed on the way; asking again may help. */
    COMPLETER_ABORT
}

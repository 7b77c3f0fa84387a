package io.iolab.devices.dma;

/** Status of a translation completion (PCIe 4.0 10.2.3). */
public enum TranslationStatus {
    /** The completion says what was found, which may be a page without any right: one that is absent is no error. */
    SUCCESS,
    /** UR: this function may not ask. It is free to stop using translation services until they are switched on anew. */
    UNSUPPORTED_REQUEST,
    /** CA: an error on the unit's way to the translation, worse than UR; one that software is to hear of. */
    COMPLETER_ABORT
}

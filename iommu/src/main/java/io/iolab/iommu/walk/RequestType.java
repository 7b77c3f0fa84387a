package io.iolab.iommu.walk;

/** The AT field of a request (PCIe, Address Translation Services); the ordinal is its code in a fault record. */
public enum RequestType {
    UNTRANSLATED,
    TRANSLATION_REQUEST,
    TRANSLATED
}

package io.iolab.vmm.pci;

/** The AT field of a memory request (PCI Express Base section 10.2.1). */
public enum AddressType {
    /** 00b: the address is for the IOMMU to translate. */
    UNTRANSLATED,
    /** 01b: the IOMMU is asked where the address leads. */
    TRANSLATION_REQUEST,
    /** 10b: the address came from the IOMMU. */
    TRANSLATED
}

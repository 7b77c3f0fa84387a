package io.iolab.devices.fault;

/**
 * Why a DMA request moved no byte of the page that failed. Hardware-neutral: an IOMMU keeps its own reason code for its
 * fault record and maps it to one of these.
 */
public enum DmaFault implements GuestFault {
    /** No fault: all bytes moved. */
    NONE,
    /** The PCI command register's bus master bit is clear; the request was dropped by the function itself. */
    BUS_MASTER_OFF,
    /** No translation for the address: entry not present, or unknown device. */
    NOT_MAPPED,
    /** A translation exists but does not allow reads. */
    NO_READ,
    /** A translation exists but does not allow writes. */
    NO_WRITE,
    /** A translation structure is malformed, or could not be read. */
    BAD_TABLE,
    /** The translated address is not backed by memory, or the range wraps. */
    BEYOND_MEMORY,
    /** A port on the way refused the request by its access control services (PCI Express Base section 6.12). */
    ACS_VIOLATION,
    /** Nobody on the way claims or forwards the request: it would be completed as an unsupported request. */
    UNSUPPORTED_REQUEST;

    private static final DmaFault[] VALUES = values();

    /**
     * A fault as the result of a call that otherwise returns a non-negative number.
     *
     * @return a negative number; never called for {@link #NONE}
     */
    public int asResult() {
        return -ordinal();
    }

    /** The fault in a result: {@link #NONE} when it is not negative. */
    public static DmaFault of(int result) {
        return result >= 0 ? NONE : VALUES[-result];
    }
}

package io.iolab.vmm.vcpu;

/** What a local APIC did with a fixed interrupt. */
public enum Acceptance {
    /** Its IRR bit went from 0 to 1. */
    PENDING,
    /** Its IRR bit was set already: the two arrive as one. */
    COALESCED,
    /** Dropped: the APIC is disabled by software, or the vector is one of 0 to 15. */
    REFUSED;

    /** Whether the guest will see the interrupt. */
    public boolean accepted() {
        return this != REFUSED;
    }
}

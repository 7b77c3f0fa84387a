package io.iolab.vmm.ledger;

import java.util.Locale;

/** What became of an interrupt that a device wanted. */
public enum InterruptOutcome {
    /** The device asserted its pin or wrote a message. */
    RAISED,
    /** Merged with one that the APIC already held pending. */
    COALESCED,
    /** Held back by the device: moderation, or the driver's suppression field. */
    SUPPRESSED,
    /** Entered the guest by event injection. */
    INJECTED,
    /** Entered the guest without an exit, through a posted-interrupt descriptor. */
    POSTED,
    /** Translated by an interrupt-remapping table entry. */
    REMAPPED,
    /** Refused by interrupt remapping. */
    BLOCKED;

    /** As written in reports and meter tags. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

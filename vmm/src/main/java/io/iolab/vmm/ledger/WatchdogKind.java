package io.iolab.vmm.ledger;

import java.util.Locale;

/** What a watchdog can find. */
public enum WatchdogKind {
    /** Guest: the driver has descriptors outstanding, and the device makes no progress with them. */
    TX_HANG(true),
    /** Guest: the stack's queue has been stopped for a full ring and was not started again. */
    TX_TIMEOUT(true),
    /** Guest: frames are in the receive ring, and no interrupt has the driver look. */
    RX_STALL(true),
    /** Guest: the driver throws received frames away because their length or status makes no sense. */
    RX_ERRORS(true),
    /** Guest: far more interrupts than there is work. */
    INTERRUPT_STORM(true),
    /** Host: frames wait in front of the device or are lost there, because the guest gives it no receive buffer. */
    RX_NO_BUFFER(false);

    private final boolean guest;

    WatchdogKind(boolean guest) {
        this.guest = guest;
    }

    /** Who finds it: {@code guest}, or {@code host} where the guest cannot see it. */
    public String seenBy() {
        return guest ? "guest" : "host";
    }

    /** As written in reports and meter tags. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

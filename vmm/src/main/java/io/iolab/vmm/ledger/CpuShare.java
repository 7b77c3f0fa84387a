package io.iolab.vmm.ledger;

import java.util.Locale;

/** Whose processor time a cost is. */
public enum CpuShare {
    /** The guest itself: program, net stack, driver, interrupt entry. */
    GUEST,
    /** Exits: world switch and handling. */
    EXIT,
    /** Threads of the VMM or the host kernel that serve this guest. */
    WORKER,
    /** Such a thread that polls, while it finds nothing: its processor is as busy as at work. */
    POLLING,
    /** Bytes copied by a host processor between guest memory and host buffers. */
    COPY;

    /** As written in reports and meter tags. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package io.iolab.vmm.ledger;

import java.util.Locale;

/** Why a thread that serves a guest's device had to be woken. */
public enum WakeCause {
    /** The guest's doorbell, signalled through an ioeventfd or out of an exit. */
    KICK,
    /** A frame for the guest has come in, or can be delivered now that there are buffers. */
    FRAME,
    /** The wire has room again for a frame of the guest that had to wait. */
    ROOM,
    /** A timer of the device. */
    TIMER;

    /** As written in reports and meter tags. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

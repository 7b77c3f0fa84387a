package io.iolab.vmm.ledger;

import java.util.Locale;

/** Why a frame never reached the program it was for. */
public enum DropCause {
    /** The device's packet buffer overflowed while no receive descriptor was free (e1000 MPC). */
    NO_DESCRIPTOR,
    /** A bounded queue on the way (link, switch port, back end) was full. */
    QUEUE_FULL,
    /** Filtered by address, VLAN, or because the receiver was not enabled. */
    FILTERED,
    /** A DMA request of the device was refused. */
    DMA_FAULT,
    /** The guest's descriptors were malformed. */
    BAD_DESCRIPTOR,
    /** Arrived, but the payload's checksum or length was wrong. */
    CORRUPT;

    /** As written in reports and meter tags. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

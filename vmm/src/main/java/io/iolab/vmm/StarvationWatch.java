package io.iolab.vmm;

import io.iolab.vmm.backend.Link;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.WatchdogKind;
import java.util.List;

/**
 * The host's watchdog of one guest: frames for it wait in front of its NIC, or are lost there, and it takes none. A guest whose
 * driver believes its ring to be empty cannot see that itself.
 */
final class StarvationWatch {
    private static final long PICOS_PER_MILLI = 1_000_000_000L;

    private final GuestLedger ledger;
    private final Link toGuest;
    private final boolean linkReadable;
    private final long periodPicos;
    private long nextPicos;
    private long received;
    private long lost;
    private boolean waited;

    /** @param linkReadable whether what waits on the link tells of this guest, and may be looked at from outside: in virtual time, where nobody else
     *     runs meanwhile */
    StarvationWatch(GuestLedger ledger, Link toGuest, boolean linkReadable, long periodPicos, long nowPicos) {
        this.ledger = ledger;
        this.toGuest = toGuest;
        this.linkReadable = linkReadable;
        this.periodPicos = periodPicos;
        look(nowPicos, false);
    }

    boolean due(long nowPicos) {
        return nowPicos >= nextPicos;
    }

    /** The ledger must be up to date. */
    void look(long nowPicos) {
        look(nowPicos, true);
    }

    private void look(long nowPicos, boolean judge) {
        long frames = ledger.frames(Direction.RX);
        long drops =
                ledger.drops(Direction.RX, DropCause.NO_DESCRIPTOR) + ledger.drops(Direction.RX, DropCause.QUEUE_FULL);
        boolean waits = linkReadable && toGuest.arrived(nowPicos);
        if (judge && frames == received && (waits && waited || drops > lost)) {
            String line = ledger.guest() + ": frames wait in front of the NIC for a receive buffer, " + (drops - lost)
                    + " were dropped in " + periodPicos / PICOS_PER_MILLI + " ms, and the guest took none";
            ledger.watchdog().found(WatchdogKind.RX_NO_BUFFER, nowPicos, List.of(line));
        }
        received = frames;
        lost = drops;
        waited = waits;
        nextPicos = nowPicos + periodPicos;
    }
}

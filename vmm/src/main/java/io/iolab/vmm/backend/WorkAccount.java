package io.iolab.vmm.backend;

import io.iolab.devices.time.Clock;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.WakeCause;
import io.iolab.vmm.time.Actor;
import org.jspecify.annotations.Nullable;

/**
 * Whose time a device's work is. A device has no time of its own: whoever is about to call into it says so here, and the
 * device's ports charge that actor. It is also the device's clock, which never goes back although its callers' local times
 * differ.
 */
public final class WorkAccount implements Clock {
    private final GuestLedger ledger;
    private @Nullable Actor actor;
    private @Nullable CpuShare share;
    private long latestNanos;

    public WorkAccount(GuestLedger ledger) {
        this.ledger = ledger;
    }

    /**
     * From now on {@code owner} calls into the device.
     *
     * @param cpuShare where its time goes in the ledger; null for hardware, whose time is nobody's processor time
     */
    public void owner(Actor owner, @Nullable CpuShare cpuShare) {
        actor = owner;
        share = cpuShare;
    }

    private Actor actor() {
        Actor a = actor;
        if (a == null) {
            throw new IllegalStateException("the device of " + ledger.guest() + " was called by nobody");
        }
        return a;
    }

    /** Whether the owner is a processor, not hardware. */
    public boolean isProcessor() {
        return share != null;
    }

    /** Charges the owner. */
    public void spend(long picos) {
        spendAs(share, picos);
    }

    /** Charges the owner, but as a copy when it is a processor. */
    public void spendCopying(long picos) {
        spendAs(share == null ? null : CpuShare.COPY, picos);
    }

    private void spendAs(@Nullable CpuShare as, long picos) {
        actor().spend(picos);
        if (as != null) {
            ledger.cpu(as, picos);
        }
    }

    /** A thread that serves the device was woken. */
    void woken(WakeCause cause) {
        ledger.wakeup(cause);
    }

    /** A thread that serves the device has looked for work so long and found none. */
    void polled(long picos) {
        ledger.cpu(CpuShare.POLLING, picos);
    }

    public long nowPicos() {
        return actor().nowPicos();
    }

    @Override
    public long nanos() {
        Actor a = actor;
        if (a != null) {
            latestNanos = Math.max(latestNanos, a.nanos());
        }
        return latestNanos;
    }
}

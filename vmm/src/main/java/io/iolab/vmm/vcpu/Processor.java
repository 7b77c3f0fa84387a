package io.iolab.vmm.vcpu;

import io.iolab.devices.bus.CpuPort;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.time.Actor;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import org.jspecify.annotations.Nullable;

/**
 * A processor that runs software and takes interrupts: the loop that a vCPU and a bare processor share. What the loop costs
 * at each boundary is left to the subclass.
 */
public abstract class Processor extends Actor implements CpuPort {
    /** The vector of the APIC timer, LVT 0x320. */
    public static final int TIMER_VECTOR = 0xEC;

    /** APIC enabled by software, spurious vector 0xFF (SDM volume 3, section 11.9). */
    private static final int SVR_ENABLE = 0x1FF;
    /** Interrupts taken in one step at most; a storm goes on in the next. */
    private static final int MAX_INTERRUPTS_PER_STEP = 16;

    protected final GuestLedger ledger;
    protected final CostProfile profile;
    private final LocalApic apic;
    private final PostedVectors posted = new PostedVectors();
    private @Nullable PostedInterrupts descriptor;
    private GuestSoftware software = IDLE;
    private boolean halted;
    private long haltedSincePicos;
    private long wakeAtPicos = NEVER;
    private volatile boolean kicked;
    private boolean inExit;
    private long timerPicos = NEVER;
    private long drained;
    private long levelRaised;

    private static final GuestSoftware IDLE = new GuestSoftware() {
        @Override
        public void interrupt(int vector) {}

        @Override
        public boolean step() {
            return false;
        }

        @Override
        public long nextWakePicos() {
            return NEVER;
        }
    };

    protected Processor(String name, GuestLedger ledger, CostProfile profile, LocalApic apic) {
        super(name);
        this.ledger = ledger;
        this.profile = profile;
        this.apic = apic;
        apic.writeMsr(LocalApic.SVR, SVR_ENABLE);
    }

    /** Loads what is to run. */
    public void run(GuestSoftware guestSoftware) {
        software = guestSoftware;
    }

    public LocalApic apic() {
        return apic;
    }

    /** Charges work of this guest to this processor. */
    public void charge(CpuShare share, long picos) {
        spend(picos);
        ledger.cpu(share, picos);
    }

    /**
     * Hands an edge-triggered interrupt to this processor; callable from any thread. It is counted when this processor takes it
     * over.
     *
     * @param atPicos when it arrives, in the sender's time
     * @return whether a running processor had to be kicked, which costs the sender an interprocessor interrupt
     */
    public boolean post(int vector, long atPicos) {
        return posted.post(vector) && notifyAt(atPicos);
    }

    /**
     * Hands a level-triggered interrupt over; called on this processor's thread only.
     *
     * @return whether a running processor had to be kicked
     */
    public boolean acceptLevel(int vector, long atPicos) {
        levelRaised++;
        Acceptance acceptance = apic.accept(vector, true);
        count();
        return acceptance == Acceptance.PENDING && notifyAt(atPicos);
    }

    /**
     * Gives the processor a descriptor in memory, into which a remapping unit posts, and with it virtual-interrupt delivery: interrupts
     * enter and end without exits. Set-up only.
     */
    public void postsInto(PostedInterrupts postedInterrupts) {
        descriptor = postedInterrupts;
    }

    /** Whether interrupts are delivered by the processor itself, not by injection. */
    protected final boolean virtualDelivery() {
        return descriptor != null;
    }

    /**
     * A notification of the descriptor has come to the processor that this one runs or sleeps on; callable from any thread. One that
     * runs merges what was posted and goes on, one that sleeps is woken by the host.
     */
    public void notification(long atPicos) {
        if (halted) {
            wakeAsleep(atPicos);
        } else {
            wake(atPicos);
        }
    }

    private void wakeAsleep(long atPicos) {
        long wake = atPicos + delay(wakeLatencyPicos());
        wakeAtPicos = Math.min(wakeAtPicos, wake);
        wake(wake);
    }

    private boolean outstanding() {
        PostedInterrupts own = descriptor;
        return posted.outstanding() || own != null && own.outstanding();
    }

    private void drainPosted() {
        PostedInterrupts own = descriptor;
        int moved = posted.drainInto(apic) + (own == null ? 0 : own.drainInto(apic));
        if (moved > 0) {
            drained += moved;
            count();
        }
    }

    private void count() {
        PostedInterrupts own = descriptor;
        long merged = posted.coalesced() + (own == null ? 0 : own.merged());
        ledger.interrupts(InterruptOutcome.RAISED, levelRaised + drained + merged);
        ledger.interrupts(InterruptOutcome.COALESCED, merged + apic.coalesced());
    }

    private boolean notifyAt(long atPicos) {
        if (inExit) {
            // Raised by what this processor's own exit set off: injected at the re-entry, no kick needed.
            return false;
        }
        boolean under = kicked;
        kicked = true;
        if (!halted) {
            // A kick that is on its way already takes this interrupt along.
            wake(atPicos);
            return !under;
        }
        wakeAsleep(atPicos);
        return false;
    }

    @Override
    protected boolean step() {
        if (halted && !awake()) {
            return false;
        }
        takeInterrupts();
        checkTimer();
        if (!software.step() && !interruptWaiting()) {
            halt();
        }
        return true;
    }

    private boolean interruptWaiting() {
        return kicked || outstanding() || apic.pendingVector() >= 0;
    }

    /** The subclass brackets the handling of an exit with it. */
    protected final void inExit(boolean inside) {
        inExit = inside;
    }

    /** Ends a halt if its reason has come. */
    private boolean awake() {
        long now = nowPicos();
        // A notification from another thread that raced with the halt set no wake-up time, or was taken for one in an
        // exit: it
        // counts at once.
        boolean interrupted = (kicked || outstanding()) && (wakeAtPicos == NEVER || now >= wakeAtPicos);
        if (!interrupted && now < timerWakePicos()) {
            sleepUntil(Math.min(timerWakePicos(), wakeAtPicos));
            return false;
        }
        if (now >= timerPicos) {
            timerPicos = NEVER;
            apic.accept(TIMER_VECTOR, false);
        }
        halted = false;
        kicked = false;
        wakeAtPicos = NEVER;
        PostedInterrupts own = descriptor;
        if (own != null) {
            own.resume();
        }
        ledger.halted(nowPicos() - haltedSincePicos);
        return true;
    }

    /** When software runs again that only the timer wakes: others go on until then, so this is slept through. */
    private long timerWakePicos() {
        long latency = delay(wakeLatencyPicos());
        return timerPicos < NEVER - latency ? timerPicos + latency : NEVER;
    }

    private void takeInterrupts() {
        if (kicked) {
            kicked = false;
            onKick();
        }
        drainPosted();
        for (int i = 0; i < MAX_INTERRUPTS_PER_STEP && apic.pendingVector() >= 0; i++) {
            if (i > 0) {
                onInterruptWindow();
            }
            deliver();
            drainPosted();
        }
    }

    private void deliver() {
        int vector = apic.acknowledge();
        PostedInterrupts own = descriptor;
        boolean direct = own != null && own.delivered(vector);
        ledger.interrupt(direct ? InterruptOutcome.POSTED : InterruptOutcome.INJECTED);
        boolean level = apic.levelTriggered(vector);
        onInject();
        charge(CpuShare.GUEST, profile.picos(Cost.GUEST_IRQ_ENTRY));
        software.interrupt(vector);
        onEoi(level);
        // A level that outlives its EOI comes back from within the EOI's own handling.
        inExit = true;
        apic.writeMsr(LocalApic.EOI, 0);
        inExit = false;
    }

    private void checkTimer() {
        if (nowPicos() >= timerPicos) {
            timerPicos = NEVER;
            onTimerExpired();
            apic.accept(TIMER_VECTOR, false);
            takeInterrupts();
        }
    }

    private void halt() {
        long wake = software.nextWakePicos();
        if (wake != NEVER && wake <= nowPicos()) {
            return;
        }
        if (wake != timerPicos && wake != NEVER) {
            timerPicos = wake;
            onTimerArmed();
        }
        onHalt();
        halted = true;
        haltedSincePicos = nowPicos();
        PostedInterrupts own = descriptor;
        if (own != null && own.block()) {
            // Posted between the last look and the change of NV: nobody would wake it.
            halted = false;
            own.resume();
            return;
        }
        long wakeUp = timerWakePicos();
        if (wakeUp == NEVER) {
            idle();
        } else {
            sleepUntil(wakeUp);
        }
    }

    /**
     * Tells that the software is inside the call that hands a packet to its driver: the profile's cost of a packet already
     * holds the bare-metal doorbell, so a store to a mapped register is free in there.
     */
    public abstract void packetCall(boolean inside);

    /** Whether the processor sleeps in HLT. */
    public boolean halted() {
        return halted;
    }

    /** From an interrupt's arrival at a halted processor until its handler runs. */
    protected abstract long wakeLatencyPicos();

    /** An interrupt has come from outside while software was running. */
    protected abstract void onKick();

    /** An interrupt had to wait until interrupts were on again. */
    protected abstract void onInterruptWindow();

    protected abstract void onInject();

    /** @param level the trigger mode of the interrupt that ends */
    protected abstract void onEoi(boolean level);

    protected abstract void onTimerArmed();

    /** The timer has expired while software was running. */
    protected abstract void onTimerExpired();

    protected abstract void onHalt();
}

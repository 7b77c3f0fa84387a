package io.iolab.devices.e1000;

import io.iolab.devices.pci.IntxLine;
import io.iolab.devices.pci.MsiCapability;
import io.iolab.devices.pci.MsixTable;
import io.iolab.devices.register.RegisterFile;
import io.iolab.devices.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * Interrupt causes, their mask, and the three ways to signal them (82540 SDM 13.4; 82574 datasheet 7.4).
 *
 * <pre>
 *   event, ICS --> ICR & IMS = active --+-- INTx: level, gap of ITR between assertions
 *                                       +-- MSI: a message for each newly active cause, gap of ITR
 *                                       `-- MSI-X: IVAR names the vector of a newly active cause, gap of EITR[vector]
 * </pre>
 *
 * <p>Decisions where sources differ: INT_ASSERTED means that an <em>unmasked</em> cause is pending. A read of ICR on the 82574
 * clears it if IMS is 0 or INT_ASSERTED is set; with only masked causes pending it clears nothing. On the 82540EM a read always
 * clears. A cause that is active already fires no second message until it was cleared or masked in between.
 */
final class InterruptUnit {
    /** How interrupts leave the function. */
    record Signals(
            IntxLine pin,
            @Nullable MsiCapability msi,
            @Nullable MsixTable msix) {}

    private enum Mode {
        PIN,
        MSI,
        MSIX
    }

    /** Unit of ITR, in nanoseconds. */
    static final long MODERATION_TICK = 256;

    private static final long NEVER = Long.MAX_VALUE;

    private final E1000Model model;
    private final RegisterFile registers;
    private final Signals signals;
    private final Clock clock;
    private final E1000Counters counters;
    private final Statistics statistics;
    private final VectorRouting vectors;
    private Runnable onMessageMode = () -> {};

    private Mode mode = Mode.PIN;
    private int icr;
    private int ims;
    /** {@code icr & ims} as of the last look: what of it is new fires messages. */
    private int active;
    /** Causes whose pending bit software took back; their next event fires although they are still active. */
    private int withdrawn;

    /** A message is on its way. It may be aimed at a register of this device and raise the next cause from inside. */
    private boolean sending;

    private boolean asserted;
    private boolean everSignalled;
    private long lastSignal;
    private long deadline = NEVER;

    InterruptUnit(Core core, Signals signals) {
        this.model = core.model();
        this.registers = core.registers();
        this.signals = signals;
        this.clock = core.clock();
        this.counters = core.counters();
        this.statistics = core.statistics();
        this.vectors = new VectorRouting(registers, signals.msix());
        attach();
    }

    private void attach() {
        registers.onRead(E1000Registers.ICR, this::readIcr);
        registers.onWrite(E1000Registers.ICR, (written, previous) -> clearCauses(written));
        // Reading ICS shows ICR without its side effect: old drivers depend on it.
        registers.onRead(E1000Registers.ICS, this::icrWithAsserted);
        registers.onWrite(E1000Registers.ICS, (written, previous) -> raise(written));
        registers.onRead(E1000Registers.IMS, () -> ims);
        registers.onWrite(E1000Registers.IMS, (written, previous) -> unmask(written));
        registers.onRead(E1000Registers.IMC, () -> 0);
        registers.onWrite(E1000Registers.IMC, (written, previous) -> mask(written));
        MsiCapability msi = signals.msi();
        if (msi != null) {
            msi.onSwitch(this::switchMode);
        }
        MsixTable msix = signals.msix();
        if (msix != null) {
            msix.onSwitch(this::switchMode);
            registers.onWrite(E1000Registers.IVAR, (written, previous) -> vectors.rerouted());
            registers.onWrite(E1000Registers.PBACLR, (written, previous) -> withdrawn |= vectors.withdraw(written));
        }
    }

    /** @param action runs when interrupts become messages of MSI-X, where delay timers have no meaning */
    void onMessageMode(Runnable action) {
        onMessageMode = action;
    }

    void reset() {
        icr = 0;
        ims = 0;
        active = 0;
        withdrawn = 0;
        everSignalled = false;
        deadline = NEVER;
        vectors.reset();
        update();
    }

    private void switchMode() {
        MsiCapability msi = signals.msi();
        MsixTable msix = signals.msix();
        Mode next = msix != null && msix.enabled() ? Mode.MSIX : msi != null && msi.enabled() ? Mode.MSI : Mode.PIN;
        if (next == mode) {
            return;
        }
        mode = next;
        deadline = NEVER;
        vectors.reset();
        if (next == Mode.MSIX) {
            onMessageMode.run();
        }
        signals.pin().evaluate();
        update();
    }

    /** Whether queue causes replace RXT0, TXDW and the delay timers. */
    boolean inVectorMode() {
        return mode == Mode.MSIX;
    }

    /** Sets causes, as an event or a write to ICS does. */
    void raise(int causes) {
        int wanted = causes & model.causes();
        if (mode == Mode.MSIX && (wanted & InterruptCause.OTHERS) != 0) {
            wanted |= InterruptCause.OTHER;
        }
        counters.causesRaised += Integer.bitCount(wanted & ~icr);
        icr |= wanted;
        active &= ~(wanted & withdrawn);
        withdrawn &= ~wanted;
        update();
    }

    private int icrWithAsserted() {
        return model == E1000Model.I82574L && active != 0 ? icr | InterruptCause.INT_ASSERTED : icr;
    }

    private int readIcr() {
        int value = icrWithAsserted();
        if (model == E1000Model.I82540EM || ims == 0 || active != 0) {
            icr = 0;
        }
        acknowledge();
        return value;
    }

    private void clearCauses(int written) {
        icr &= ~written;
        if (model == E1000Model.I82574L && (written & InterruptCause.OTHER) != 0) {
            icr &= ~InterruptCause.OTHERS;
        }
        acknowledge();
    }

    /** IAME: an access to ICR while INT_ASSERTED also masks what IAM names (82574 datasheet 7.4). */
    private void acknowledge() {
        if (active != 0 && extended(E1000Registers.CTRL_EXT_IAME)) {
            ims &= ~registers.get(E1000Registers.IAM);
        }
        update();
    }

    private void unmask(int written) {
        if (extended(E1000Registers.CTRL_EXT_PBA_CLR)) {
            withdrawn |= vectors.withdraw(vectors.vectorsOf(written & InterruptCause.ROUTED));
        }
        ims |= written & model.causes();
        update();
    }

    private void mask(int written) {
        ims &= ~written;
        update();
    }

    private boolean extended(int bit) {
        return model == E1000Model.I82574L && (registers.get(E1000Registers.CTRL_EXT) & bit) != 0;
    }

    private void update() {
        int rising = icr & ims & ~active;
        active = icr & ims;
        withdrawn &= active;
        switch (mode) {
            case PIN -> updatePin();
            case MSI -> updateMessage(rising);
            case MSIX -> {
                request(false);
                if ((rising & InterruptCause.ROUTED) != 0) {
                    route(rising & InterruptCause.ROUTED);
                }
            }
        }
    }

    private void updatePin() {
        if (active == 0) {
            deadline = NEVER;
            request(false);
        } else if (!asserted && gapPassed()) {
            signalled();
            request(true);
        }
    }

    private void request(boolean wanted) {
        if (wanted != asserted) {
            asserted = wanted;
            counters.pinAssertions += wanted ? 1 : 0;
            // Last: whoever hangs on the pin may access registers from inside this call.
            signals.pin().request(wanted);
        }
    }

    private void updateMessage(int rising) {
        request(false);
        if (rising != 0 && gapPassed()) {
            sendMessage();
        }
    }

    private void sendMessage() {
        MsiCapability msi = signals.msi();
        signalled();
        if (msi != null && msi.fire()) {
            counters.messages++;
        }
    }

    private void signalled() {
        everSignalled = true;
        lastSignal = clock.nanos();
        deadline = NEVER;
        statistics.count(Statistics.Fact.INTERRUPTS);
    }

    /** ITR: the least time between two assertions or messages, 0 for none (82540 SDM 13.4). Otherwise sets the deadline. */
    private boolean gapPassed() {
        long gap = registers.get(E1000Registers.ITR) * MODERATION_TICK;
        if (gap == 0 || !everSignalled || clock.nanos() - lastSignal >= gap) {
            return true;
        }
        if (deadline == NEVER) {
            counters.moderated++;
            deadline = lastSignal + gap;
        }
        return false;
    }

    private void route(int causes) {
        long now = clock.nanos();
        for (int vector = 0; vector < VectorRouting.VECTORS; vector++) {
            int mine = causes & vectors.causesOf(vector);
            if (mine == 0) {
                continue;
            }
            if (sending) {
                vectors.postponeEcho(vector, mine, now);
            } else if (vectors.mayFire(vector, now)) {
                fire(vector, mine, now);
            } else {
                counters.moderated += vectors.postpone(vector, mine) ? 1 : 0;
            }
        }
    }

    /** Auto-clear and auto-mask belong to the event's hand-over, whether its message leaves now or waits masked in the PBA. */
    private void fire(int vector, int causes, long now) {
        icr &= ~(causes & registers.get(E1000Registers.EIAC));
        if (extended(E1000Registers.CTRL_EXT_EIAME)) {
            ims &= ~(causes & registers.get(E1000Registers.IAM));
        }
        active = icr & ims;
        counters.messages++;
        sending = true;
        vectors.fire(vector, now);
        sending = false;
    }

    /** Signals what moderation has held back long enough. */
    void poll(long now) {
        if (now >= deadline) {
            deadline = NEVER;
            if (mode == Mode.PIN) {
                updatePin();
            } else if (mode == Mode.MSI && active != 0) {
                sendMessage();
            }
        }
        if (vectors.anyPostponed()) {
            for (int vector = 0; vector < VectorRouting.VECTORS; vector++) {
                int due = vectors.takeDue(vector, now) & active;
                if (due != 0) {
                    fire(vector, due, now);
                }
            }
        }
    }

    long deadline() {
        return vectors.anyPostponed() ? Math.min(deadline, vectors.deadline()) : deadline;
    }
}

package io.iolab.vmm.guest;

import io.iolab.devices.driver.NetDriver;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.WatchdogKind;
import java.util.Arrays;
import java.util.List;

/**
 * What a guest's kernel and driver watch: a transmit unit that hangs (the driver's own check), a transmit queue that stays stopped
 * (the stack's), a receive ring with frames that nobody fetches, received frames with errors, and interrupts without work.
 *
 * <p>A look comes every period. Linux looks every two seconds, in a run of a twentieth of a second it would never look; so the
 * period is scaled, see {@link WatchdogPace}. A look charges no time and changes nothing while it finds nothing, and by itself it does not
 * wake a sleeping guest, as a deferrable timer does not: a guest that is well runs as if nobody looked.
 */
final class Watchdog {
    /** Linux's e1000. */
    private static final long LINUX_PERIOD = 2_000_000_000_000L;

    private static final long PICOS_PER_MILLI = 1_000_000_000L;
    /** 40,000 a second: five times what a moderated NIC sends. */
    private static final long STORM_PER_MILLI = 40;
    /** A frame costs two interrupts at most, one for it and one for its completion. */
    private static final int STORM_PER_FRAME = 8;

    private static final int VECTORS = 256;
    private static final long RUNNING = Long.MAX_VALUE;

    private final GuestLedger ledger;
    private final WatchdogPace pace;
    private long nextPicos = Long.MAX_VALUE;
    private long lastPicos;
    private long linuxPicos = Long.MAX_VALUE;
    /** Since the last look, by vector. */
    private final long[] interrupts = new long[VECTORS];

    private long framesSeen;
    private long errorsSeen;
    /** When the queue stopped, by the first frame that was refused. */
    private long stoppedPicos = RUNNING;

    Watchdog(GuestLedger ledger, WatchdogPace pace) {
        this.ledger = ledger;
        this.pace = pace;
    }

    /** The device is open. */
    void start(long nowPicos) {
        lastPicos = nowPicos;
        nextPicos = nowPicos + pace.periodPicos();
        linuxPicos = nowPicos + LINUX_PERIOD;
    }

    void interrupt(int vector) {
        interrupts[vector]++;
    }

    /** The driver has taken a frame. */
    void accepted() {
        stoppedPicos = RUNNING;
    }

    /** The driver has refused a frame, its ring is full. */
    void refused(long nowPicos) {
        if (stoppedPicos == RUNNING) {
            stoppedPicos = nowPicos;
        }
    }

    /** When a sleeping guest is to be woken for a look. */
    long wakePicos(NetDriver driver) {
        if (pace.wakes()) {
            return nextPicos;
        }
        return driver.transmitsInFlight() > 0 ? linuxPicos : Long.MAX_VALUE;
    }

    void lookIfDue(NetDriver driver, long nowPicos) {
        if (nowPicos >= linuxPicos) {
            linuxPicos = nowPicos + LINUX_PERIOD;
        }
        if (nowPicos >= nextPicos) {
            look(driver, nowPicos);
            lastPicos = nowPicos;
            nextPicos = nowPicos + pace.periodPicos();
        }
    }

    private void look(NetDriver driver, long nowPicos) {
        if (driver.transmitHung()) {
            found(WatchdogKind.TX_HANG, nowPicos, driver.report());
        }
        if (stoppedPicos != RUNNING && nowPicos - stoppedPicos >= pace.periodPicos()) {
            String line = "NETDEV WATCHDOG: eth0 (" + driver.name() + "): transmit queue 0 timed out "
                    + (nowPicos - stoppedPicos) / PICOS_PER_MILLI + " ms";
            found(WatchdogKind.TX_TIMEOUT, nowPicos, List.of(line));
        }
        if (driver.receiveStalled()) {
            found(WatchdogKind.RX_STALL, nowPicos, driver.report());
        }
        lookForErrors(driver, nowPicos);
        lookForStorm(nowPicos);
    }

    private void lookForErrors(NetDriver driver, long nowPicos) {
        long errors = driver.receiveErrors();
        if (errors > errorsSeen) {
            String line = driver.name() + " eth0: rx error: " + (errors - errorsSeen)
                    + " frames since the last look with a length or status that makes no sense";
            found(WatchdogKind.RX_ERRORS, nowPicos, List.of(line));
        }
        errorsSeen = errors;
    }

    private void lookForStorm(long nowPicos) {
        long frames = ledger.frames(Direction.TX) + ledger.frames(Direction.RX);
        long came = 0;
        int busiest = 0;
        for (int vector = 0; vector < VECTORS; vector++) {
            came += interrupts[vector];
            busiest = interrupts[vector] > interrupts[busiest] ? vector : busiest;
        }
        long moved = frames - framesSeen;
        long millis = Math.max(1, (nowPicos - lastPicos) / PICOS_PER_MILLI);
        if (came > STORM_PER_MILLI * millis && came > STORM_PER_FRAME * moved) {
            found(
                    WatchdogKind.INTERRUPT_STORM,
                    nowPicos,
                    List.of(
                            "irq " + GuestKernel.irq(busiest)
                                    + ": nobody cared (try booting with the \"irqpoll\" option)",
                            came + " interrupts in " + millis + " ms, and " + moved + " frames"));
        }
        Arrays.fill(interrupts, 0);
        framesSeen = frames;
    }

    private void found(WatchdogKind kind, long nowPicos, List<String> lines) {
        ledger.watchdog().found(kind, nowPicos, lines);
    }
}

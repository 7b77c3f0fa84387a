package io.iolab.vmm;

import io.iolab.vmm.guest.WatchdogPace;

/** How often a guest is looked after: so seldom that what its settings make it wait for is not taken for a hang. */
final class WatchPeriod {
    private static final long WALL_PICOS = 2_000_000_000_000L;
    private static final long PICOS_PER_SECOND = 1_000_000_000_000L;
    /** With preamble, FCS and gap. */
    private static final long LONGEST_FRAME_BITS = 8L * (1514 + 24);

    private static final long THROTTLE_UNIT_PICOS = 256_000;
    private static final long DELAY_UNIT_PICOS = 1_024_000;
    /** The absolute timers run four times as long as the delay timers. */
    private static final int ABSOLUTE = 4;

    private static final int AMPLE = 4;

    private WatchPeriod() {}

    /** On the wall clock Linux's period, since there a guest may be kept from running; on the virtual one a scaled one. */
    static long picos(ClockMode clock, GuestConfig guest) {
        long frame = LONGEST_FRAME_BITS * PICOS_PER_SECOND / guest.link().bitsPerSecond();
        NicTuning nic = guest.nic();
        long moderation = Math.max(
                nic.itr() * THROTTLE_UNIT_PICOS, ABSOLUTE * Math.max(nic.rxDelay(), nic.txDelay()) * DELAY_UNIT_PICOS);
        long waits = AMPLE * Math.max(frame, moderation);
        return Math.max(clock == ClockMode.WALL ? WALL_PICOS : WatchdogPace.PERIOD_PICOS, waits);
    }
}

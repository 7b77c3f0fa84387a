package io.iolab.vmm.guest;

/**
 * How often watchdogs look.
 *
 * @param periodPicos from look to look
 * @param wakes whether a sleeping guest is woken for it
 */
public record WatchdogPace(long periodPicos, boolean wakes) {
    /** Linux's two seconds, 400 times faster: ten looks fit into the shortest of the bundled runs. */
    public static final long PERIOD_PICOS = 5_000_000_000L;

    /** Nobody is woken. */
    public static final WatchdogPace DEFERRABLE = new WatchdogPace(PERIOD_PICOS, false);
}

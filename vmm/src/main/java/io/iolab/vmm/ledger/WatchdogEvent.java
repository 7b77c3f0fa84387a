package io.iolab.vmm.ledger;

import java.util.List;

/**
 * Everything of one kind that a guest's watchdogs found.
 *
 * @param firstPicos when it was first found, in the run's clock; {@code lastPicos} is the last time
 * @param count how many looks found it
 * @param lines what was logged the first time, in the driver's words
 */
public record WatchdogEvent(
        String guest, Path path, WatchdogKind kind, long firstPicos, long lastPicos, long count, List<String> lines) {
    public WatchdogEvent {
        lines = List.copyOf(lines);
    }
}

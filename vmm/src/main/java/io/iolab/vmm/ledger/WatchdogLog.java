package io.iolab.vmm.ledger;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What the watchdogs of one guest found: one entry a kind, however often it is found, so that a run that hangs for a minute does
 * not fill the report.
 *
 * <p>Threading: any thread.
 */
public final class WatchdogLog {
    /** A driver's longest block has ten lines. */
    private static final int MAX_LINES = 16;

    private final String guest;
    private final Path path;
    private final Map<WatchdogKind, WatchdogEvent> events = new EnumMap<>(WatchdogKind.class);

    WatchdogLog(String guest, Path path) {
        this.guest = guest;
        this.path = path;
    }

    /** @param lines what a log would show; kept the first time, and cut after {@value #MAX_LINES} */
    public synchronized void found(WatchdogKind kind, long atPicos, List<String> lines) {
        WatchdogEvent before = events.get(kind);
        events.put(
                kind,
                before == null
                        ? new WatchdogEvent(
                                guest,
                                path,
                                kind,
                                atPicos,
                                atPicos,
                                1,
                                lines.subList(0, Math.min(MAX_LINES, lines.size())))
                        : new WatchdogEvent(
                                guest, path, kind, before.firstPicos(), atPicos, before.count() + 1, before.lines()));
    }

    /** How many looks found it. */
    public synchronized long count(WatchdogKind kind) {
        WatchdogEvent event = events.get(kind);
        return event == null ? 0 : event.count();
    }

    /** One a kind, in the order of {@link WatchdogKind}. */
    public synchronized List<WatchdogEvent> events() {
        return new ArrayList<>(events.values());
    }
}

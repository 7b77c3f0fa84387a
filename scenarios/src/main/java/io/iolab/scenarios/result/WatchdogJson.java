package io.iolab.scenarios.result;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.vmm.inject.InjectionOutcome;
import io.iolab.vmm.ledger.WatchdogEvent;

/** The fields {@code inject} and {@code watchdog}: each is there only if there is something in it. */
final class WatchdogJson {
    private static final double PICOS_PER_SECOND = 1e12;

    private WatchdogJson() {}

    static void append(ObjectNode root, Report report) {
        if (!report.injections().isEmpty()) {
            ArrayNode bugs = root.putArray("inject");
            for (InjectionOutcome injection : report.injections()) {
                bugs.addObject()
                        .put("name", injection.bug().label())
                        .put("guest", injection.guest())
                        .put("struck", injection.struck())
                        .put("fault", injection.bug().fault().label())
                        .put("symptom", injection.bug().symptom())
                        .put("met", injection.bug().met());
            }
        }
        if (!report.watchdog().isEmpty()) {
            ArrayNode events = root.putArray("watchdog");
            report.watchdog().forEach(event -> events.add(event(event)));
        }
    }

    private static ObjectNode event(WatchdogEvent event) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.put("guest", event.guest());
        node.put("path", event.path().label());
        node.put("kind", event.kind().label());
        node.put("seen_by", event.kind().seenBy());
        node.put("count", event.count());
        node.put("first_seconds", ResultJson.seconds(event.firstPicos() / PICOS_PER_SECOND));
        node.put("last_seconds", ResultJson.seconds(event.lastPicos() / PICOS_PER_SECOND));
        ArrayNode lines = node.putArray("lines");
        event.lines().forEach(lines::add);
        return node;
    }
}

package io.iolab.scenarios.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.result.ResultJson;
import java.util.List;

/** The document {@code iolab.bench.rings/1}. Rates are buffers a second. */
public final class RingJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.bench.rings/1";

    private RingJson() {}

    /** With a line feed at the end. */
    public static String text(RingBench bench, List<RingResult> results, String version) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("schema", SCHEMA);
        root.put("version", version);
        root.put("jvm", System.getProperty("java.vm.name") + " " + Runtime.version());
        root.put("processors", Runtime.getRuntime().availableProcessors());
        root.put("turns", bench.turns());
        root.put("seconds_per_turn", bench.nanos() / 1e9);
        ArrayNode cases = root.putArray("cases");
        for (RingResult result : results) {
            ObjectNode one = cases.addObject()
                    .put("layout", result.plan().layout().label())
                    .put("suppression", result.plan().suppression())
                    .put("batch", result.plan().batch())
                    .put("ring_size", result.plan().size());
            spread(one.putObject("buffers_per_second"), result.rate());
            one.put("ns_per_buffer", result.nanosPerBuffer());
            one.put("kicks_per_buffer", result.kicks());
            one.put("interrupts_per_buffer", result.interrupts());
            ArrayNode against = one.putArray("against");
            for (RingResult.Comparison other : result.comparisons()) {
                ObjectNode node = against.addObject().put("program", other.program());
                spread(node.putObject("buffers_per_second"), other.rate());
                spread(node.putObject("ratio"), other.ratio());
            }
        }
        return ResultJson.text(root);
    }

    private static void spread(ObjectNode into, Spread spread) {
        into.put("median", spread.median());
        into.put("min", spread.min());
        into.put("max", spread.max());
    }
}

package io.iolab.scenarios.attack;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.iommu.FaultsJson;
import io.iolab.scenarios.iommu.WalkJson;
import io.iolab.scenarios.result.ResultJson;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The document {@code iolab.attack/1}: attacks, each with its runs. A list of attacks is the same without runs. */
public final class AttackJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.attack/1";

    private AttackJson() {}

    /** With a line feed at the end. */
    public static String list(List<Attack> attacks) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", SCHEMA);
        ArrayNode all = root.putArray("attacks");
        attacks.forEach(attack -> attack(all.addObject(), attack));
        return ResultJson.text(root);
    }

    /** With a line feed at the end. */
    public static String outcomes(List<AttackOutcome> outcomes) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", SCHEMA);
        root.put("as_expected", outcomes.stream().allMatch(AttackOutcome::asExpected));
        ArrayNode all = root.putArray("attacks");
        Map<Attack, ArrayNode> runs = new LinkedHashMap<>();
        for (AttackOutcome outcome : outcomes) {
            ArrayNode into = runs.computeIfAbsent(outcome.attack(), attack -> {
                ObjectNode node = all.addObject();
                attack(node, attack);
                return node.putArray("runs");
            });
            outcome(into.addObject(), outcome);
        }
        return ResultJson.text(root);
    }

    private static void attack(ObjectNode into, Attack attack) {
        into.put("name", attack.name());
        into.put("what", attack.what());
        into.put("defence", attack.defence());
        ObjectNode expected = into.putObject("expected");
        for (Defence defence : Defence.values()) {
            verdict(expected.putObject(defence.label()), attack.expected(defence));
        }
    }

    private static void verdict(ObjectNode into, Verdict verdict) {
        into.put("kind", verdict.kind().name().toLowerCase(Locale.ROOT));
        into.put("amount", verdict.amount());
        into.put("unit", verdict.unit());
        into.put("text", verdict.toString());
    }

    private static void outcome(ObjectNode into, AttackOutcome outcome) {
        into.put("defence", outcome.defence().label());
        verdict(into.putObject("verdict"), outcome.verdict());
        into.put("as_expected", outcome.asExpected());
        ArrayNode notes = into.putArray("notes");
        outcome.notes().forEach(notes::add);
        ArrayNode figures = into.putArray("figures");
        for (Figure figure : outcome.figures()) {
            ObjectNode one = figures.addObject();
            one.put("name", figure.name()).put("value", figure.value()).put("unit", figure.unit());
        }
        ArrayNode bytes = into.putArray("bytes");
        for (BytesFound found : outcome.bytes()) {
            ObjectNode one = bytes.addObject();
            one.put("title", found.title());
            one.put("address", "0x" + Long.toHexString(found.address()));
            one.put("hex", HexFormat.of().formatHex(found.bytes()));
        }
        ArrayNode walks = into.putArray("walks");
        outcome.walks().forEach(walk -> WalkJson.put(walks.addObject(), walk));
        FaultsJson.put(into.putArray("faults"), outcome.faults());
        into.put("other_fault_records", outcome.otherFaults());
    }
}

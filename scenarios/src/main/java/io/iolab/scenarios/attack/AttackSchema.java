package io.iolab.scenarios.attack;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.iommu.FaultsSchema;
import io.iolab.scenarios.schema.JsonSchema;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code iolab.attack/1} is. */
public final class AttackSchema {
    private AttackSchema() {}

    /** JSON Schema of {@link AttackJson}. */
    public static ObjectNode document() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("schema", JsonSchema.constant(AttackJson.SCHEMA));
        fields.put("as_expected", JsonSchema.described("Of every run; absent in a list.", JsonSchema.flag()));
        fields.put("attacks", JsonSchema.listOf(attack()));
        return JsonSchema.document(
                "Attacks on isolation, and what came of them", JsonSchema.object(fields, List.of("schema", "attacks")));
    }

    private static ObjectNode attack() {
        Map<String, ObjectNode> expected = new LinkedHashMap<>();
        for (Defence defence : Defence.values()) {
            expected.put(defence.label(), verdict());
        }
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("name", JsonSchema.text());
        fields.put("what", JsonSchema.text());
        fields.put("defence", JsonSchema.text());
        fields.put("expected", JsonSchema.object(expected, expected.keySet()));
        List<String> required = List.copyOf(fields.keySet());
        fields.put("runs", JsonSchema.listOf(run()));
        return JsonSchema.object(fields, required);
    }

    private static ObjectNode verdict() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put(
                "kind",
                JsonSchema.oneOf(Arrays.stream(Verdict.Kind.values())
                        .map(kind -> kind.name().toLowerCase(Locale.ROOT))
                        .toList()));
        fields.put("amount", JsonSchema.count());
        fields.put("unit", JsonSchema.text());
        fields.put("text", JsonSchema.text());
        return JsonSchema.object(fields, fields.keySet());
    }

    private static ObjectNode run() {
        Map<String, ObjectNode> figure = new LinkedHashMap<>();
        figure.put("name", JsonSchema.text());
        figure.put("value", JsonSchema.count());
        figure.put("unit", JsonSchema.text());
        Map<String, ObjectNode> bytes = new LinkedHashMap<>();
        bytes.put("title", JsonSchema.text());
        bytes.put("address", JsonSchema.pattern("^0x[0-9a-f]+$"));
        bytes.put("hex", JsonSchema.pattern("^([0-9a-f]{2})*$"));
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put(
                "defence",
                JsonSchema.oneOf(
                        Arrays.stream(Defence.values()).map(Defence::label).toList()));
        fields.put("verdict", verdict());
        fields.put("as_expected", JsonSchema.flag());
        fields.put("notes", JsonSchema.listOf(JsonSchema.text()));
        fields.put("figures", JsonSchema.listOf(JsonSchema.object(figure, figure.keySet())));
        fields.put("bytes", JsonSchema.listOf(JsonSchema.object(bytes, bytes.keySet())));
        fields.put("walks", JsonSchema.listOf(FaultsSchema.walk()));
        fields.put("faults", FaultsSchema.faults());
        fields.put("other_fault_records", JsonSchema.count());
        return JsonSchema.object(fields, fields.keySet());
    }
}

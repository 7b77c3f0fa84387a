package io.iolab.scenarios.schema;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.Map;

/** Small parts of a JSON Schema. Each call gives a new, mutable tree. */
public final class JsonSchema {
    /** The dialect that every document here is written in. */
    public static final String DIALECT = "https://json-schema.org/draft/2020-12/schema";

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private JsonSchema() {}

    public static ObjectNode text() {
        return type("string");
    }

    public static ObjectNode pattern(String regex) {
        return text().put("pattern", regex);
    }

    public static ObjectNode flag() {
        return type("boolean");
    }

    public static ObjectNode integer(long min, long max) {
        return type("integer").put("minimum", min).put("maximum", max);
    }

    /** A whole number, not negative. */
    public static ObjectNode count() {
        return type("integer").put("minimum", 0);
    }

    /** A number, not negative. */
    public static ObjectNode amount() {
        return type("number").put("minimum", 0);
    }

    public static ObjectNode constant(String value) {
        return NODES.objectNode().put("const", value);
    }

    public static ObjectNode oneOf(Collection<String> values) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode allowed = schema.putArray("enum");
        values.forEach(allowed::add);
        return schema;
    }

    public static ObjectNode listOf(ObjectNode items) {
        ObjectNode schema = type("array");
        schema.set("items", items);
        return schema;
    }

    /** An object of these fields and no others. */
    public static ObjectNode object(Map<String, ObjectNode> properties, Collection<String> required) {
        ObjectNode schema = type("object");
        ObjectNode fields = schema.putObject("properties");
        properties.forEach(fields::set);
        if (!required.isEmpty()) {
            ArrayNode names = schema.putArray("required");
            required.forEach(names::add);
        }
        return schema.put("additionalProperties", false);
    }

    /** {@code schema} with a sentence for people, first. */
    public static ObjectNode described(String description, ObjectNode schema) {
        ObjectNode out = NODES.objectNode().put("description", description);
        out.setAll(schema);
        return out;
    }

    /** The head of a whole document. */
    public static ObjectNode document(String title, ObjectNode schema) {
        ObjectNode out = NODES.objectNode().put("$schema", DIALECT).put("title", title);
        out.setAll(schema);
        return out;
    }

    private static ObjectNode type(String name) {
        return NODES.objectNode().put("type", name);
    }
}

package io.iolab.scenarios.scenario;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.schema.JsonSchema;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.config.Quantity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One key of a mapping: what it is called, how it is read, and what the schema says of it.
 *
 * @param <T> what it is read as; times are picoseconds, sizes bytes, rates packets per second
 */
final class Key<T> {
    /** How a value is taken from its mapping. */
    interface Reading<T> {
        T read(ConfigNode node, String key) throws ConfigException;
    }

    private final String name;
    private final String description;
    private final boolean required;
    private final Supplier<ObjectNode> schema;
    private final Reading<T> reading;

    private Key(String name, String description, boolean required, Supplier<ObjectNode> schema, Reading<T> reading) {
        this.name = name;
        this.description = description;
        this.required = required;
        this.schema = schema;
        this.reading = reading;
    }

    static Key<String> text(String name, String description) {
        return new Key<>(name, description, false, JsonSchema::text, ConfigNode::text);
    }

    /** @param form what a person should have written */
    static Key<String> text(String name, String description, String regex, String form) {
        Pattern pattern = Pattern.compile(regex);
        return new Key<>(name, description, false, () -> JsonSchema.pattern("^" + regex + "$"), (node, key) -> {
            String text = node.text(key);
            if (!pattern.matcher(text).matches()) {
                throw node.error(key, "expected " + form + ", found '" + text + "'");
            }
            return text;
        });
    }

    static Key<Long> integer(String name, String description, long min, long max) {
        return new Key<>(
                name,
                description,
                false,
                () -> JsonSchema.integer(min, max),
                (node, key) -> node.integer(key, min, max));
    }

    static Key<Integer> powerOfTwo(String name, String description, int min, int max) {
        Supplier<ObjectNode> schema = () -> {
            ObjectNode allowed = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
            var values = allowed.putArray("enum");
            for (int i = min; i <= max; i *= 2) {
                values.add(i);
            }
            return allowed;
        };
        return new Key<>(name, description, false, schema, (node, key) -> {
            long value = node.integer(key, min, max);
            if (Long.bitCount(value) != 1) {
                throw node.error(key, "expected a power of two from " + min + " to " + max + ", found '" + value + "'");
            }
            return (int) value;
        });
    }

    static Key<Boolean> flag(String name, String description) {
        return new Key<>(name, description, false, JsonSchema::flag, (node, key) -> node.flag(key, false));
    }

    /** @param range the same bounds in words, with units */
    static Key<Long> quantity(String name, String description, Quantity quantity, long min, long max, String range) {
        return new Key<>(
                name,
                description + " From " + range + ".",
                false,
                () -> JsonSchema.pattern(quantity.pattern()),
                (node, key) -> {
                    long value = node.quantity(key, quantity);
                    if (value < min || value > max) {
                        throw node.error(key, "expected " + range + ", found '" + node.text(key) + "'");
                    }
                    return value;
                });
    }

    /** A time that a register holds in units of {@code unitPicos}; read as the nearest number of units. */
    static Key<Integer> timer(String name, String description, long unitPicos, String unit) {
        return new Key<>(name, description, false, () -> JsonSchema.pattern(Quantity.TIME.pattern()), (node, key) -> {
            long picos = node.quantity(key, Quantity.TIME);
            long units = picos / unitPicos + (picos % unitPicos * 2 >= unitPicos ? 1 : 0);
            if (units > 0xFFFF || (units == 0 && picos > 0)) {
                throw node.error(key, "expected 0ns, or 1 to 65535 times " + unit + ", found '" + node.text(key) + "'");
            }
            return (int) units;
        });
    }

    /** Packets per second, or {@code max}, which is read as 0. */
    static Key<Long> rate(String name, String description) {
        String pattern = Quantity.PACKET_RATE.pattern();
        String orMax = "^(max|" + pattern.substring(1, pattern.length() - 1) + ")$";
        return new Key<>(name, description, false, () -> JsonSchema.pattern(orMax), (node, key) -> {
            String expected = "max or " + Quantity.PACKET_RATE.expected() + ", at least 1pps";
            String text = node.scalar(key, expected);
            if (text.equals("max")) {
                return 0L;
            }
            Long rate = Quantity.PACKET_RATE.parse(text);
            if (rate == null || rate < 1) {
                throw node.error(key, "expected " + expected + ", found '" + text + "'");
            }
            return rate;
        });
    }

    /** A list of at least one size. */
    static Key<List<Integer>> sizes(String name, String description, int min, int max) {
        Supplier<ObjectNode> schema = () ->
                JsonSchema.listOf(JsonSchema.pattern(Quantity.SIZE.pattern())).put("minItems", 1);
        return new Key<>(name, description + " From " + min + "B to " + max + "B.", false, schema, (node, key) -> {
            List<Integer> sizes = new ArrayList<>();
            for (long size : node.quantities(key, Quantity.SIZE)) {
                if (size < min || size > max) {
                    throw node.error(key, "expected sizes from " + min + "B to " + max + "B, found " + size + "B");
                }
                sizes.add((int) size);
            }
            if (sizes.isEmpty()) {
                throw node.error(key, "expected at least one size");
            }
            return List.copyOf(sizes);
        });
    }

    static <E extends Enum<E>> Key<E> choice(String name, String description, Class<E> type) {
        return new Key<>(
                name,
                description,
                false,
                () -> JsonSchema.oneOf(Arrays.stream(type.getEnumConstants())
                        .map(ConfigNode::nameOf)
                        .toList()),
                (node, key) -> node.choice(key, type));
    }

    /** A nested mapping. */
    static Key<ConfigNode> section(String name, String description, Supplier<ObjectNode> schema) {
        return new Key<>(name, description, false, schema, ConfigNode::child);
    }

    /** A list of mappings. */
    static Key<List<ConfigNode>> sections(String name, String description, Supplier<ObjectNode> schema) {
        return new Key<>(
                name,
                description,
                false,
                () -> JsonSchema.listOf(schema.get()).put("minItems", 1),
                ConfigNode::children);
    }

    /** The same key, without which its mapping is incomplete. */
    Key<T> required() {
        return new Key<>(name, description, true, schema, reading);
    }

    String name() {
        return name;
    }

    boolean has(ConfigNode node) {
        return node.has(name);
    }

    T read(ConfigNode node) throws ConfigException {
        return reading.read(node, name);
    }

    T read(ConfigNode node, T absent) throws ConfigException {
        return node.has(name) ? reading.read(node, name) : absent;
    }

    Optional<T> find(ConfigNode node) throws ConfigException {
        @Nullable T value = node.has(name) ? reading.read(node, name) : null;
        return Optional.ofNullable(value);
    }

    /**
     * Refuses every other key. Comes before reading, so that a misspelt key is named as such and not missed under its right name.
     */
    static void only(ConfigNode node, List<? extends Key<?>> keys) throws ConfigException {
        for (Key<?> key : keys) {
            key.has(node);
        }
        node.finish();
    }

    /** The schema of a mapping of exactly these keys. */
    static ObjectNode mapping(List<? extends Key<?>> keys) {
        Map<String, ObjectNode> properties = new LinkedHashMap<>();
        List<String> needed = new ArrayList<>();
        for (Key<?> key : keys) {
            properties.put(key.name, JsonSchema.described(key.description, key.schema.get()));
            if (key.required) {
                needed.add(key.name);
            }
        }
        return JsonSchema.object(properties, needed);
    }
}

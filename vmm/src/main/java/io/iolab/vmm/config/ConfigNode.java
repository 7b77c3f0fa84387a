package io.iolab.vmm.config;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A value in a YAML file that knows where it stands. A mapping remembers which keys were asked for; {@link #finish} makes the
 * others an error, so that an unknown key is never silently ignored.
 */
public final class ConfigNode {
    private static final LoadSettings SETTINGS = LoadSettings.builder()
            .setAllowDuplicateKeys(false)
            .setAllowNonScalarKeys(true)
            .build();

    private final String file;
    private final Node node;
    private final String path;
    private final Map<String, NodeTuple> children = new LinkedHashMap<>();
    private final Set<String> known = new LinkedHashSet<>();

    private ConfigNode(String file, Node node, String path) throws ConfigException {
        this.file = file;
        this.node = node;
        this.path = path;
        if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                    throw at(file, tuple.getKeyNode(), "expected a plain key");
                }
                if (children.put(key.getValue(), tuple) != null) {
                    throw at(file, key, "key '" + key.getValue() + "' appears twice");
                }
            }
        }
    }

    /**
     * Parses a document whose top is a mapping.
     *
     * @param file its name, for error messages
     */
    public static ConfigNode parse(String file, String text) throws ConfigException {
        Optional<Node> root;
        try {
            root = new Compose(SETTINGS).composeString(text);
        } catch (MarkedYamlEngineException e) {
            Mark mark = e.getProblemMark().orElse(null);
            throw new ConfigException(
                    file,
                    mark == null ? 0 : mark.getLine() + 1,
                    mark == null ? 0 : mark.getColumn() + 1,
                    "not YAML: " + e.getProblem());
        } catch (ReaderException e) {
            throw forbidden(file, text, e);
        } catch (YamlEngineException e) {
            throw new ConfigException(file, 0, 0, "not YAML: " + e.getMessage());
        }
        if (root.isEmpty() || !(root.get() instanceof MappingNode)) {
            throw new ConfigException(file, 1, 1, "expected a mapping of keys to values");
        }
        return new ConfigNode(file, root.get(), "");
    }

    /** A character that YAML does not allow; the parser knows its place as a count of code points. */
    private static ConfigException forbidden(String file, String text, ReaderException e) {
        int end = text.offsetByCodePoints(0, Math.min(e.getPosition(), text.codePointCount(0, text.length())));
        int lineStart = text.lastIndexOf('\n', end - 1) + 1;
        int line = (int)
                text.substring(0, lineStart).chars().filter(c -> c == '\n').count();
        return new ConfigException(
                file,
                line + 1,
                end - lineStart + 1,
                String.format("not YAML: character U+%04X is not allowed", e.getCodePoint()));
    }

    private static ConfigException at(String file, Node node, String problem) {
        Mark mark = node.getStartMark().orElse(null);
        return new ConfigException(
                file, mark == null ? 0 : mark.getLine() + 1, mark == null ? 0 : mark.getColumn() + 1, problem);
    }

    /** An error about this value. */
    public ConfigException error(String problem) {
        return at(file, node, path.isEmpty() ? problem : path + ": " + problem);
    }

    /** An error about one key of this mapping, at its value. */
    public ConfigException error(String key, String problem) {
        NodeTuple tuple = children.get(key);
        return at(file, tuple == null ? node : tuple.getValueNode(), join(key) + ": " + problem);
    }

    private String join(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /** The file this value was read from. */
    public String file() {
        return file;
    }

    public boolean has(String key) {
        known.add(key);
        return children.containsKey(key);
    }

    /** The keys of this mapping, in file order; asking marks them all as known. */
    public Set<String> keys() {
        known.addAll(children.keySet());
        return Collections.unmodifiableSet(children.keySet());
    }

    private @Nullable Node value(String key) {
        known.add(key);
        NodeTuple tuple = children.get(key);
        return tuple == null ? null : tuple.getValueNode();
    }

    private Node required(String key) throws ConfigException {
        Node value = value(key);
        if (value == null) {
            throw error("missing key '" + key + "'");
        }
        return value;
    }

    /**
     * A single value as it is written, whatever its type.
     *
     * @param expected what a person should have written, for the error if it is a list or mapping
     */
    public String scalar(String key, String expected) throws ConfigException {
        if (required(key) instanceof ScalarNode scalar) {
            return scalar.getValue();
        }
        throw error(key, "expected " + expected);
    }

    /** A text; a bare number, true, false or nothing at all is not one unless quoted. */
    public String text(String key) throws ConfigException {
        String text = scalar(key, "a text");
        if (!Tag.STR.equals(required(key).getTag())) {
            throw error(key, text.isEmpty() ? "expected a text" : "expected a text; quote it: '" + text + "'");
        }
        return text;
    }

    public String text(String key, String absent) throws ConfigException {
        return has(key) ? text(key) : absent;
    }

    public BigDecimal decimal(String key) throws ConfigException {
        String text = scalar(key, "a number");
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException e) {
            throw error(key, "expected a number, found '" + text + "'");
        }
    }

    /** A whole number in {@code [min, max]}. */
    public long integer(String key, long min, long max) throws ConfigException {
        String text = scalar(key, "a whole number");
        try {
            long number = text.startsWith("0x") ? Long.parseLong(text.substring(2), 16) : Long.parseLong(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message below.
        }
        throw error(key, "expected a whole number from " + min + " to " + max + ", found '" + text + "'");
    }

    public long integer(String key, long min, long max, long absent) throws ConfigException {
        return has(key) ? integer(key, min, max) : absent;
    }

    public boolean flag(String key, boolean absent) throws ConfigException {
        if (!has(key)) {
            return absent;
        }
        String text = scalar(key, "true or false");
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw error(key, "expected true or false, found '" + text + "'");
        };
    }

    /** A number with a unit, in the quantity's base unit. */
    public long quantity(String key, Quantity quantity) throws ConfigException {
        String text = scalar(key, quantity.expected());
        Long value = quantity.parse(text);
        if (value == null) {
            throw error(key, "expected " + quantity.expected() + ", found '" + text + "'");
        }
        return value;
    }

    public long quantity(String key, Quantity quantity, long absent) throws ConfigException {
        return has(key) ? quantity(key, quantity) : absent;
    }

    /** A list of numbers with a unit, in the quantity's base unit and file order. */
    public List<Long> quantities(String key, Quantity quantity) throws ConfigException {
        if (!(required(key) instanceof SequenceNode sequence)) {
            throw error(key, "expected a list, each " + quantity.expected());
        }
        List<Long> list = new ArrayList<>();
        for (Node item : sequence.getValue()) {
            String text = item instanceof ScalarNode scalar ? scalar.getValue() : "";
            Long value = quantity.parse(text);
            if (value == null) {
                throw at(
                        file,
                        item,
                        join(key) + "[" + list.size() + "]: expected " + quantity.expected() + ", found '" + text
                                + "'");
            }
            list.add(value);
        }
        return list;
    }

    /** One of an enum's constants, written in lower case with hyphens. */
    public <E extends Enum<E>> E choice(String key, Class<E> type) throws ConfigException {
        String text = scalar(key, "a name");
        List<String> names =
                Arrays.stream(type.getEnumConstants()).map(ConfigNode::nameOf).toList();
        int index = names.indexOf(text);
        if (index < 0) {
            throw error(key, "expected one of " + String.join(", ", names) + ", found '" + text + "'");
        }
        return type.getEnumConstants()[index];
    }

    public <E extends Enum<E>> E choice(String key, E absent) throws ConfigException {
        return has(key) ? choice(key, absent.getDeclaringClass()) : absent;
    }

    /** How an enum constant is written in a file. */
    public static String nameOf(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A nested mapping. */
    public ConfigNode child(String key) throws ConfigException {
        Node value = required(key);
        if (!(value instanceof MappingNode)) {
            throw error(key, "expected a mapping");
        }
        return new ConfigNode(file, value, join(key));
    }

    /** A nested mapping, if there is one. */
    public Optional<ConfigNode> optionalChild(String key) throws ConfigException {
        return has(key) ? Optional.of(child(key)) : Optional.empty();
    }

    /** A list of mappings; empty if the key is absent. */
    public List<ConfigNode> children(String key) throws ConfigException {
        Node value = value(key);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof SequenceNode sequence)) {
            throw error(key, "expected a list");
        }
        List<ConfigNode> list = new ArrayList<>();
        for (Node item : sequence.getValue()) {
            ConfigNode child = new ConfigNode(file, item, join(key) + "[" + list.size() + "]");
            if (!(item instanceof MappingNode)) {
                throw child.error("expected a mapping");
            }
            list.add(child);
        }
        return list;
    }

    /**
     * Ends the reading of this mapping.
     *
     * @throws ConfigException naming the first key that nobody asked for, and the keys that could stand there
     */
    public void finish() throws ConfigException {
        for (Map.Entry<String, NodeTuple> entry : children.entrySet()) {
            if (!known.contains(entry.getKey())) {
                throw at(
                        file,
                        entry.getValue().getKeyNode(),
                        (path.isEmpty() ? "" : path + ": ") + "unknown key '" + entry.getKey() + "'; known here: "
                                + String.join(", ", known));
            }
        }
    }
}

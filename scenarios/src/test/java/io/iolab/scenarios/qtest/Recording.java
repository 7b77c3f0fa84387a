package io.iolab.scenarios.qtest;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What a recorder wrote, as a tree, and flat: one path a fact, named as in the tables of deviations. */
final class Recording {
    /** The value of a fact that one side does not have. */
    static final String ABSENT = "absent";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SHORTEST_DUMP = 16;
    private static final int SHOWN_BYTES = 24;
    private static final int LONG_TEXT = 40;
    /** Lists whose elements are rows: offset, name, value. */
    private static final Set<String> NAMED_ROWS = Set.of("registers_reset", "registers_after_system_reset");

    private static final String SCAN = "full_scan_nonzero";

    private final Map<String, Object> tree;

    /** One fact that differs. Inside a byte dump the path is {@code name@offset}. */
    record Difference(String path, String recorded, String ours) {
        @Override
        public String toString() {
            return path + " | " + recorded + " | " + ours;
        }
    }

    private Recording(Map<String, Object> tree) {
        this.tree = tree;
        // Who was recorded, and what it said to the terminal.
        tree.remove("oracle");
        tree.remove("stderr");
    }

    static Recording read(Path file) throws IOException {
        return new Recording(JSON.readValue(file.toFile(), new TypeReference<LinkedHashMap<String, Object>>() {}));
    }

    Map<String, Object> tree() {
        return tree;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static List<Object> array(Object value) {
        return (List<Object>) value;
    }

    /** A part of the recording: an object in the tree. */
    Map<String, Object> part(String name) {
        Object part = tree.get(name);
        if (part == null) {
            throw new AssertionError("the recording has no " + name);
        }
        return object(part);
    }

    List<Difference> differencesTo(Recording ours) {
        Map<String, String> theirFacts = facts();
        Map<String, String> ourFacts = ours.facts();
        Set<String> paths = new TreeSet<>(theirFacts.keySet());
        paths.addAll(ourFacts.keySet());
        List<Difference> found = new ArrayList<>();
        for (String path : paths) {
            String a = theirFacts.getOrDefault(path, ABSENT);
            String b = ourFacts.getOrDefault(path, ABSENT);
            if (!a.equals(b)) {
                if (isDump(a) && isDump(b)) {
                    addDump(path, a, b, found);
                } else {
                    found.add(new Difference(path, a, b));
                }
            }
        }
        return found;
    }

    private Map<String, String> facts() {
        Map<String, String> flat = new LinkedHashMap<>();
        flattenObject(flat, "", tree);
        return flat;
    }

    private static void flattenObject(Map<String, String> flat, String prefix, Map<String, Object> map) {
        map.forEach((key, value) -> flatten(flat, prefix.isEmpty() ? key : prefix + "." + key, value));
    }

    private static void flatten(Map<String, String> flat, String path, Object value) {
        if (value instanceof Map) {
            flattenObject(flat, path, object(value));
        } else if (value instanceof List) {
            flattenList(flat, path, array(value));
        } else {
            flat.put(path, String.valueOf(value));
        }
    }

    private static void flattenList(Map<String, String> flat, String path, List<Object> list) {
        int named = NAMED_ROWS.contains(path) ? 1 : path.equals(SCAN) ? 0 : -1;
        if (named >= 0) {
            list.forEach(row -> flat.put(
                    path + "." + array(row).get(named),
                    String.valueOf(array(row).get(named + 1))));
        } else if (list.stream().noneMatch(Recording::isLong)) {
            flat.put(path, list.toString());
        } else {
            for (int i = 0; i < list.size(); i++) {
                flattenElement(flat, path, i, list.get(i));
            }
        }
    }

    private static boolean isLong(Object element) {
        return element instanceof Map
                || element instanceof List
                || String.valueOf(element).length() > LONG_TEXT;
    }

    /** A step of a register script is {what, access, value, evidence} or {what, value, evidence}. */
    private static void flattenElement(Map<String, String> flat, String path, int index, Object element) {
        boolean step = element instanceof List
                && path.startsWith("interrupt_")
                && array(element).getLast() instanceof Map;
        if (!step) {
            flatten(flat, path + "[" + index + "]", element);
            return;
        }
        List<Object> parts = array(element);
        String name = path + "[" + index + " " + parts.get(parts.size() == 4 ? 1 : parts.size() - 3) + "]";
        flat.put(name, String.valueOf(parts.get(parts.size() - 2)));
        flattenObject(flat, name, object(parts.getLast()));
    }

    private static boolean isDump(String text) {
        return text.length() >= SHORTEST_DUMP && text.length() % 2 == 0 && text.matches("[0-9a-f]+");
    }

    private static void addDump(String path, String a, String b, List<Difference> found) {
        if (a.length() != b.length()) {
            found.add(new Difference(path + "@length", "" + a.length() / 2, "" + b.length() / 2));
        }
        int common = Math.min(a.length(), b.length());
        for (int i = 0; i < common; i += 2) {
            int end = i;
            while (end < common && !a.regionMatches(end, b, end, 2)) {
                end += 2;
            }
            if (end > i) {
                found.add(new Difference(path + "@" + Integer.toHexString(i / 2), shown(a, i, end), shown(b, i, end)));
                i = end;
            }
        }
    }

    private static String shown(String dump, int from, int to) {
        int end = Math.min(to, from + 2 * SHOWN_BYTES);
        return dump.substring(from, end) + (end < to ? "+" + (to - end) / 2 : "");
    }
}

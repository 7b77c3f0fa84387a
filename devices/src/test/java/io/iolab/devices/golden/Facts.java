package io.iolab.devices.golden;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A recording as flat facts, one path each, and the differences between two recordings. */
final class Facts {
    /** The value of a fact that one side does not have. */
    static final String ABSENT = "absent";

    /** Below this many digits a hexadecimal text is compared as a whole. */
    private static final int SHORTEST_DUMP = 16;

    private static final int SHOWN_BYTES = 24;

    /** Lists whose elements are rows: offset, name, value. */
    private static final Set<String> NAMED_ROWS = Set.of("registers_reset", "registers_after_system_reset");

    private static final String SCAN = "full_scan_nonzero";

    private final Map<String, String> flat = new LinkedHashMap<>();

    /** One fact that differs. A difference inside a byte dump has the path {@code name@offset}. */
    record Difference(String path, String recorded, String ours) {
        @Override
        public String toString() {
            return path + " | " + recorded + " | " + ours;
        }
    }

    private Facts() {}

    static Map<String, String> flatten(Map<String, Object> tree) {
        Facts facts = new Facts();
        facts.object("", tree);
        return facts.flat;
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private void object(String prefix, Map<String, Object> map) {
        map.forEach((key, value) -> value(prefix.isEmpty() ? key : prefix + "." + key, value));
    }

    private void value(String path, Object value) {
        if (value instanceof Map) {
            object(path, Json.object(value));
        } else if (value instanceof List) {
            list(path, Json.array(value));
        } else {
            flat.put(path, String.valueOf(value));
        }
    }

    private void list(String path, List<Object> list) {
        if (NAMED_ROWS.contains(path)) {
            list.forEach(row -> flat.put(
                    path + "." + Json.array(row).get(1), text(Json.array(row).get(2))));
        } else if (path.equals(SCAN)) {
            list.forEach(row -> flat.put(
                    path + "." + Json.array(row).get(0), text(Json.array(row).get(1))));
        } else if (list.stream().noneMatch(Facts::isLong)) {
            flat.put(path, list.toString());
        } else {
            for (int i = 0; i < list.size(); i++) {
                element(path, i, list.get(i));
            }
        }
    }

    private static String text(Object value) {
        return String.valueOf(value);
    }

    private static boolean isLong(Object element) {
        return element instanceof Map
                || element instanceof List
                || text(element).length() > 40;
    }

    /** A step of a register script is {what, access, value, evidence} or {what, value, evidence}. */
    private void element(String path, int index, Object element) {
        if (element instanceof List
                && path.startsWith("interrupt_")
                && Json.array(element).getLast() instanceof Map) {
            List<Object> step = Json.array(element);
            String name = path + "[" + index + " " + step.get(step.size() - 3) + "]";
            if (step.size() == 4) {
                name = path + "[" + index + " " + step.get(1) + "]";
            }
            flat.put(name, text(step.get(step.size() - 2)));
            object(name, Json.object(step.getLast()));
        } else {
            value(path + "[" + index + "]", element);
        }
    }

    static List<Difference> differences(Map<String, String> recorded, Map<String, String> ours) {
        Set<String> paths = new TreeSet<>(recorded.keySet());
        paths.addAll(ours.keySet());
        List<Difference> found = new ArrayList<>();
        for (String path : paths) {
            String a = recorded.getOrDefault(path, ABSENT);
            String b = ours.getOrDefault(path, ABSENT);
            if (a.equals(b)) {
                continue;
            }
            if (isDump(a) && isDump(b)) {
                dump(path, a, b, found);
            } else {
                found.add(new Difference(path, a, b));
            }
        }
        return found;
    }

    private static boolean isDump(String text) {
        return text.length() >= SHORTEST_DUMP && text.length() % 2 == 0 && text.matches("[0-9a-f]+");
    }

    private static void dump(String path, String a, String b, List<Difference> found) {
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

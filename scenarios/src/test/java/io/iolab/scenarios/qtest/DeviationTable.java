package io.iolab.scenarios.qtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The tables in which every difference to QEMU must stand with its reason: the device's own, and what the machine around it changes. A line
 * is
 *
 * <pre>
 *   = CLASS: reason                     opens a group
 *   path | recorded | ours              one difference
 *   *12 path.*.rest | recorded | ours   exactly 12 differences; * stands for text without a dot
 *   # text                              a comment
 * </pre>
 *
 * <p>In a table about the machine, lines of the group {@code AGREES} are paths: the device's lines with these paths do not hold here.
 */
final class DeviationTable {
    private static final String AGREES = "AGREES";

    private record Line(String reason, String path, String recorded, String ours, int count) {
        boolean covers(Recording.Difference difference) {
            return recorded.equals(difference.recorded())
                    && ours.equals(difference.ours())
                    && glob(path).matcher(difference.path()).matches();
        }
    }

    private final List<Line> lines = new ArrayList<>();
    private final List<String> agreements = new ArrayList<>();

    /** @param machine may be absent */
    static DeviationTable read(Path device, Path machine) throws IOException {
        DeviationTable table = new DeviationTable();
        table.parse(Files.readAllLines(device));
        if (Files.exists(machine)) {
            DeviationTable changes = new DeviationTable();
            changes.parse(Files.readAllLines(machine));
            for (String path : changes.agreements) {
                if (!table.lines.removeIf(line -> line.path.equals(path))) {
                    throw new AssertionError(machine + ": the device's table has no line for " + path);
                }
            }
            table.lines.addAll(changes.lines);
        }
        return table;
    }

    private static Pattern glob(String path) {
        return Pattern.compile("\\Q" + path.replace("*", "\\E[^.]*\\Q") + "\\E");
    }

    private void parse(List<String> text) {
        String reason = "";
        for (String line : text) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("= ")) {
                reason = line.substring(2, line.indexOf(':'));
            } else if (reason.equals(AGREES)) {
                agreements.add(line.strip());
            } else {
                lines.add(line(reason, line));
            }
        }
    }

    private static Line line(String reason, String text) {
        String[] part = text.split(" \\| ", -1);
        if (part.length != 3) {
            throw new AssertionError("not three columns: " + text);
        }
        int count = 1;
        String path = part[0];
        if (path.startsWith("*")) {
            int space = path.indexOf(' ');
            count = Integer.parseInt(path.substring(1, space));
            path = path.substring(space + 1);
        }
        return new Line(reason, path, part[1], part[2], count);
    }

    /** Leaves out what the tables say about these paths. */
    DeviationTable without(String prefix) {
        lines.removeIf(line -> line.path.startsWith(prefix));
        return this;
    }

    /** What the tables make of the differences. */
    record Verdict(List<String> unlisted, List<String> stale, Map<String, Integer> counts) {}

    Verdict judge(List<Recording.Difference> differences) {
        int[] hits = new int[lines.size()];
        List<String> unlisted = new ArrayList<>();
        Map<String, Integer> counts = new TreeMap<>();
        for (Recording.Difference difference : differences) {
            int found = 0;
            while (found < hits.length && !lines.get(found).covers(difference)) {
                found++;
            }
            if (found == hits.length) {
                unlisted.add(difference.toString());
            } else {
                hits[found]++;
                counts.merge(lines.get(found).reason, 1, Integer::sum);
            }
        }
        List<String> stale = new ArrayList<>();
        for (int i = 0; i < hits.length; i++) {
            if (hits[i] != lines.get(i).count) {
                stale.add(lines.get(i) + ", seen " + hits[i] + " times");
            }
        }
        return new Verdict(unlisted, stale, counts);
    }
}

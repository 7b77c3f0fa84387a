package io.iolab.devices.golden;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Holds differences against a table in which every one must stand with its reason. A line of the table is
 *
 * <pre>
 *   = CLASS: reason                     opens a group
 *   path | recorded | ours              one difference
 *   *12 path.*.rest | recorded | ours   exactly 12 differences; * stands for text without a dot
 *   # text                              a comment
 * </pre>
 */
final class Judgement {
    /** Why the recorded device and ours may differ. */
    enum Reason {
        /** The recorded device departs from the manual; the group cites the section. */
        QEMU_DEVIATION,
        /** The manual leaves it to the board or the EEPROM: identities, addresses, revisions, timing of the PHY. */
        BOARD_CHOICE,
        /** The manual leaves it open, or ours has more or fewer optional parts; the group says which. */
        MODEL_CHOICE,
        /** Ours does not offer the feature; the group names its bit. */
        NOT_YET_OFFERED,
        /** A time on the recording machine's clock. */
        WALL_CLOCK,
        /** Ours is wrong, or suspected to be; the group says what the manual asks for. To be fixed, then removed. */
        OPEN_FINDING
    }

    private record Line(Reason reason, Pattern path, String recorded, String ours, int count, String text) {
        boolean covers(Facts.Difference difference) {
            return recorded.equals(difference.recorded())
                    && ours.equals(difference.ours())
                    && path.matcher(difference.path()).matches();
        }
    }

    private final List<Line> table = new ArrayList<>();
    private final List<String> unlisted = new ArrayList<>();
    private final List<String> stale = new ArrayList<>();
    private final Map<Reason, Integer> counts = new EnumMap<>(Reason.class);

    private Judgement() {}

    static Judgement of(String tableResource, List<Facts.Difference> differences) {
        try (InputStream in = Judgement.class.getResourceAsStream("/golden/" + tableResource)) {
            if (in == null) {
                throw new AssertionError("no resource golden/" + tableResource);
            }
            return ofText(new String(in.readAllBytes(), StandardCharsets.UTF_8), differences);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    static Judgement ofText(String text, List<Facts.Difference> differences) {
        Judgement judgement = new Judgement();
        judgement.parse(text);
        judgement.judge(differences);
        return judgement;
    }

    private void parse(String text) {
        Reason reason = null;
        for (String line : text.lines().toList()) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("= ")) {
                int colon = line.indexOf(':');
                if (colon < 0 || line.substring(colon + 1).isBlank()) {
                    throw new AssertionError("a group without a reason: " + line);
                }
                reason = Reason.valueOf(line.substring(2, colon));
            } else if (reason == null) {
                throw new AssertionError("a line before the first group: " + line);
            } else {
                table.add(line(reason, line));
            }
        }
    }

    private static Line line(Reason reason, String text) {
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
        Pattern pattern = Pattern.compile("\\Q" + path.replace("*", "\\E[^.]*\\Q") + "\\E");
        return new Line(reason, pattern, part[1], part[2], count, text);
    }

    private void judge(List<Facts.Difference> differences) {
        int[] hits = new int[table.size()];
        for (Facts.Difference difference : differences) {
            int found = -1;
            for (int i = 0; i < hits.length && found < 0; i++) {
                found = table.get(i).covers(difference) ? i : -1;
            }
            if (found < 0) {
                unlisted.add(difference.toString());
            } else {
                hits[found]++;
                counts.merge(table.get(found).reason, 1, Integer::sum);
            }
        }
        for (int i = 0; i < hits.length; i++) {
            if (hits[i] != table.get(i).count) {
                stale.add(table.get(i).text + "   (seen " + hits[i] + " times)");
            }
        }
    }

    /** Differences that stand in no line. */
    List<String> unlisted() {
        return unlisted;
    }

    /** Lines that no longer describe what is. */
    List<String> stale() {
        return stale;
    }

    Map<Reason, Integer> counts() {
        return counts;
    }
}

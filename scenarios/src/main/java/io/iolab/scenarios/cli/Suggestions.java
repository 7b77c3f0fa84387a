package io.iolab.scenarios.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Words that somebody may have meant. */
final class Suggestions {
    private static final int MOST = 3;

    private Suggestions() {}

    /** The nearest of {@code known}, at most a third of the word away. */
    static List<String> near(String word, Collection<String> known) {
        int limit = Math.max(1, (word.length() + 1) / 3);
        return known.stream()
                .filter(candidate ->
                        distance(word, candidate) <= limit || (word.length() > 2 && candidate.startsWith(word)))
                .sorted(Comparator.<String>comparingInt(candidate -> distance(word, candidate))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(MOST)
                .toList();
    }

    /** As a question on a line of its own, or nothing. */
    static String question(String word, Collection<String> known) {
        List<String> near = near(word, known);
        return near.isEmpty() ? "" : "Did you mean " + String.join(" or ", near) + "?\n";
    }

    /** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replace, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}

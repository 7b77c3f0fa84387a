package io.iolab.scenarios.result;

import java.util.ArrayList;
import java.util.List;

/** Columns of equal width: text to the left, numbers to the right, two spaces between. */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<String> headers = new ArrayList<>();
    private final List<Boolean> numeric = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    /** Appends a column of words. */
    public TextTable text(String header) {
        headers.add(header);
        numeric.add(false);
        return this;
    }

    /** Appends a column of numbers. */
    public TextTable number(String header) {
        headers.add(header);
        numeric.add(true);
        return this;
    }

    /** Appends a row, one cell for each column. */
    public void row(Object... cells) {
        if (cells.length != headers.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + headers.size() + " columns");
        }
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            row.add(cell.toString());
        }
        rows.add(row);
    }

    /** Each line ends in a line feed and has no space before it. */
    public String render() {
        StringBuilder out = new StringBuilder();
        line(out, headers);
        rows.forEach(row -> line(out, row));
        return out.toString();
    }

    private void line(StringBuilder out, List<String> cells) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            String cell = cells.get(column);
            String padding = " ".repeat(width(column) - cell.length());
            line.append(GAP).append(numeric.get(column) ? padding + cell : cell + padding);
        }
        out.append(line.toString().stripTrailing()).append('\n');
    }

    private int width(int column) {
        int width = headers.get(column).length();
        for (List<String> row : rows) {
            width = Math.max(width, row.get(column).length());
        }
        return width;
    }
}

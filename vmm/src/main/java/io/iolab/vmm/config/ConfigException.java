package io.iolab.vmm.config;

/** An input file that is not what it should be: where, and what was expected. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final int line;
    private final int column;

    /**
     * @param line 1-based; 0 if the whole file is meant
     * @param column 1-based; 0 if the whole file is meant
     */
    public ConfigException(String file, int line, int column, String problem) {
        super(line > 0 ? file + ":" + line + ":" + column + ": " + problem : file + ": " + problem);
        this.file = file;
        this.line = line;
        this.column = column;
    }

    public String file() {
        return file;
    }

    public int line() {
        return line;
    }

    public int column() {
        return column;
    }
}

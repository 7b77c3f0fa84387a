package io.iolab.scenarios.scenario;

/** A word that is neither a bundled scenario nor a file. */
public final class UnknownScenarioException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String name;

    UnknownScenarioException(String name) {
        super("no scenario '" + name + "'");
        this.name = name;
    }

    /** As it was given. */
    public String name() {
        return name;
    }
}

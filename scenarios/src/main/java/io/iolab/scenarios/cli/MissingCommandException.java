package io.iolab.scenarios.cli;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A command that only groups others was given none of them. */
final class MissingCommandException extends ParameterException {
    private static final long serialVersionUID = 1L;

    MissingCommandException(CommandLine command) {
        super(command, "missing command");
    }
}

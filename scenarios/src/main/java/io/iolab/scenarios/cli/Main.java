package io.iolab.scenarios.cli;

import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code iolab}. */
@Command(
        name = "iolab",
        description = "An I/O virtualization lab: one guest, several device paths, one table.",
        mixinStandardHelpOptions = true,
        version = "iolab 0.1.0-SNAPSHOT")
public final class Main implements Runnable {

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }

    public static void main(String[] args) {
        // The same output on every machine, whatever its language.
        Locale.setDefault(Locale.ROOT);
        System.exit(new CommandLine(new Main()).execute(args));
    }
}

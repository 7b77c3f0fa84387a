package io.iolab.scenarios.cli;

import io.iolab.devices.net.CaptureFormatException;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.scenario.UnknownScenarioException;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one clear line and an exit code. */
final class Failures {
    private static final String PREFIX = "iolab: ";

    private final PrintStream err;

    Failures(PrintStream err) {
        this.err = err;
    }

    /** A command line that does not parse. */
    int usage(ParameterException e) {
        CommandLine command = e.getCommandLine();
        if (e instanceof MissingCommandException) {
            command.usage(err);
            return ExitCode.USAGE;
        }
        if (e instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            unmatched(command, unmatched.getUnmatched().getFirst());
        } else {
            err.println(PREFIX + String.valueOf(e.getMessage()).replaceFirst("^Error: ", ""));
        }
        err.println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private void unmatched(CommandLine command, String word) {
        List<String> known = new ArrayList<>();
        known.addAll(command.getCommandSpec().optionsMap().keySet());
        known.addAll(command.getSubcommands().keySet());
        String kind = word.startsWith("-") ? "option" : command.getSubcommands().isEmpty() ? "argument" : "command";
        err.println(PREFIX + "unknown " + kind + " '" + word + "'");
        err.print(Suggestions.question(word, known));
    }

    /** A command that ended in an exception or error. */
    int failed(Throwable e) {
        switch (e) {
            case UnknownScenarioException unknown -> {
                err.println(PREFIX + unknown.getMessage() + "; it is neither bundled nor a file");
                err.print(Suggestions.question(unknown.name(), ScenarioCatalog.names()));
                err.println("Try: iolab scenario list");
                return ExitCode.USAGE;
            }
            case ConfigException bad -> {
                err.println(PREFIX + bad.getMessage());
                return ExitCode.BAD_INPUT;
            }
            case CaptureFormatException bad -> {
                err.println(PREFIX + bad.getMessage());
                return ExitCode.BAD_INPUT;
            }
            case IOException io -> {
                err.println(PREFIX + describe(io));
                return ExitCode.ENVIRONMENT;
            }
            case UncheckedIOException io -> {
                err.println(PREFIX + describe(Objects.requireNonNull(io.getCause())));
                return ExitCode.ENVIRONMENT;
            }
            case OutOfMemoryError full -> {
                err.println(PREFIX + "out of memory (" + full.getMessage()
                        + "); use fewer or smaller guests (ram), or give the JVM more: IOLAB_JAVA_OPTS=-Xmx2g");
                return ExitCode.ENVIRONMENT;
            }
            default -> {
                return bug(e);
            }
        }
    }

    /** What could not be done, where, and why; the file system's exceptions alone only say where. */
    static String describe(IOException e) {
        return switch (e) {
            case NoSuchFileException f -> f.getFile() + ": no such file or directory";
            case AccessDeniedException f -> f.getFile() + ": permission denied";
            case NotDirectoryException f -> f.getFile() + ": is not a directory";
            case FileAlreadyExistsException f -> f.getFile() + ": is in the way";
            case FileSystemException f -> f.getFile() + ": " + f.getReason();
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }

    private int bug(Throwable e) {
        StringWriter trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace, true));
        err.println(PREFIX + "this is a bug of iolab: " + e);
        try {
            Path file = Files.createTempFile("iolab-bug-", ".txt");
            Files.writeString(file, trace.toString());
            err.println("The stack trace is in " + file + "; please attach it to a report.");
        } catch (IOException unwritable) {
            err.print(trace);
        }
        return ExitCode.BUG;
    }
}

package io.iolab.scenarios.cli;

import io.iolab.scenarios.run.LabRunner;
import io.iolab.scenarios.run.MetricsDump;
import io.iolab.scenarios.run.ScenarioRunner;
import io.iolab.scenarios.serve.PrometheusDump;
import io.iolab.scenarios.serve.ServeCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Spec;

/** The command {@code iolab}. */
@Command(
        name = "iolab",
        description = {"An I/O virtualization lab: the same guest on several device paths, in one table.", ""},
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = CommandLine.HelpCommand.class,
        footer = {
            "Examples:",
            "  iolab compare                 three device paths under the same load",
            "  iolab compare --native        each as a share of the NIC without a hypervisor",
            "  iolab run ping-pong --json    any scenario, for a program to read",
            "  iolab scenario list           what there is to run",
            "  iolab inject list             bugs to put into a run, and to find again",
            "  iolab iommu groups            what an IOMMU can tell apart, and why not",
            "  iolab attack run --all        attacks on isolation, with their defences off and on",
            "",
        })
public final class Main implements Runnable {
    /** Help starts with examples. */
    private static final List<String> HELP_ORDER = List.of(
            UsageMessageSpec.SECTION_KEY_DESCRIPTION,
            UsageMessageSpec.SECTION_KEY_FOOTER_HEADING,
            UsageMessageSpec.SECTION_KEY_FOOTER,
            UsageMessageSpec.SECTION_KEY_SYNOPSIS_HEADING,
            UsageMessageSpec.SECTION_KEY_SYNOPSIS,
            UsageMessageSpec.SECTION_KEY_PARAMETER_LIST_HEADING,
            UsageMessageSpec.SECTION_KEY_PARAMETER_LIST,
            UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING,
            UsageMessageSpec.SECTION_KEY_OPTION_LIST,
            UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING,
            UsageMessageSpec.SECTION_KEY_COMMAND_LIST,
            UsageMessageSpec.SECTION_KEY_EXIT_CODE_LIST_HEADING,
            UsageMessageSpec.SECTION_KEY_EXIT_CODE_LIST);

    private static final int HELP_WIDTH = 120;

    @Spec
    private CommandSpec spec;

    private Main() {}

    /** What {@code --version} prints. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"iolab " + version()};
        }
    }

    @Override
    public void run() {
        throw new MissingCommandException(spec.commandLine());
    }

    /** Of the jar that this runs from. */
    static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    public static void main(String[] args) {
        // The same output on every machine, whatever its language.
        Locale.setDefault(Locale.ROOT);
        int code = execute(
                args,
                new FileOutputStream(FileDescriptor.out),
                System.err,
                new LabRunner(version()),
                Optional.of(new PrometheusDump(version())));
        System.exit(code);
    }

    /**
     * Runs one command.
     *
     * @return the exit code
     */
    static int execute(
            String[] args,
            OutputStream stdout,
            PrintStream err,
            ScenarioRunner runner,
            Optional<MetricsDump> metricsDump) {
        StandardOutput out = new StandardOutput(stdout);
        Failures failures = new Failures(err);
        int code;
        try {
            code = commandLine(new Session(out, err, runner, metricsDump, version()), failures)
                    .execute(args);
        } catch (OutOfMemoryError | StackOverflowError e) {
            code = failures.failed(e);
        }
        out.flush();
        IOException incomplete = out.failure();
        if (incomplete != null && code == ExitCode.DONE) {
            err.println("iolab: cannot write standard output: " + Failures.describe(incomplete));
            code = ExitCode.ENVIRONMENT;
        }
        return code;
    }

    private static CommandLine commandLine(Session session, Failures failures) {
        CommandLine iolab = new CommandLine(new Main())
                .addSubcommand(new CompareCommand(session))
                .addSubcommand(new RunCommand(session))
                .addSubcommand(new ServeCommand(session.version()))
                .addSubcommand(new ScenarioCommand(session))
                .addSubcommand(new InjectCommand(session))
                .addSubcommand(new CommandLine(new IommuCommand(session))
                        .addSubcommand(new IommuWalkCommand(session))
                        .addSubcommand(new IommuFaultsCommand(session)))
                .addSubcommand(new AttackCommand(session))
                .addSubcommand(new CommandLine(new BenchCommand(session))
                        .addSubcommand(new BenchRingsCommand(session))
                        .addSubcommand(new BenchIommuPolicyCommand(session))
                        .addSubcommand(new BenchViommuCommand(session)))
                .addSubcommand(QtestCommand.line(session))
                .addSubcommand(new DoctorCommand(session));
        prepare(iolab);
        return iolab.setHelpSectionKeys(HELP_ORDER)
                .setUsageHelpWidth(HELP_WIDTH)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(session.out(), true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(session.err(), true, StandardCharsets.UTF_8))
                .setParameterExceptionHandler((e, args) -> failures.usage(e))
                .setExecutionExceptionHandler((e, command, result) -> failures.failed(e));
    }

    /** What every command's help has. */
    private static void prepare(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        spec.versionProvider(new Version());
        spec.usageMessage().commandListHeading("%nCommands:%n");
        if (!spec.helpCommand()) {
            spec.usageMessage().exitCodeListHeading("%nExit codes:%n");
            spec.usageMessage().exitCodeList(UsageMessageSpec.keyValuesMap(ExitCode.HELP));
        }
        command.getSubcommands().values().forEach(Main::prepare);
    }
}

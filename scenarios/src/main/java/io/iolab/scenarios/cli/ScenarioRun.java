package io.iolab.scenarios.cli;

import io.iolab.scenarios.result.Report;
import io.iolab.scenarios.result.ResultCsv;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.scenarios.result.ResultTable;
import io.iolab.scenarios.run.MetricsDump;
import io.iolab.scenarios.run.RunOutcome;
import io.iolab.scenarios.run.RunRequest;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.inject.Injection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What compare and run have in common: checks, the run, and where its results go. */
final class ScenarioRun {
    private final Session session;
    private final RunOptions options;

    ScenarioRun(Session session, RunOptions options) {
        this.session = session;
        this.options = options;
    }

    /** @return the exit code */
    int execute(Scenario given, CommandLine command) throws ConfigException, IOException {
        Scenario scenario = options.applyTo(given);
        check(scenario, command);
        List<Injection> bugs = BugNames.injections(options.inject, scenario, command);
        // Opened before the run: a place that cannot be written is told at once.
        try (OptionalFile result = OptionalFile.open(options.output);
                OptionalFile dump = OptionalFile.open(options.metricsDump);
                ProgressMeter progress = new ProgressMeter(session.err(), scenario.name(), scenario.durationPicos())) {
            Optional<MetricsDump> metrics = options.metricsDump == null ? Optional.empty() : session.metricsDump();
            RunOutcome outcome = session.runner()
                    .run(
                            scenario,
                            new RunRequest(options.spend, Optional.ofNullable(options.pcap), metrics, progress)
                                    .withInjections(bugs));
            progress.close();
            return deliver(outcome, result, dump);
        }
    }

    private void check(Scenario scenario, CommandLine command) {
        if (options.spend && scenario.clock() != ClockMode.WALL) {
            throw new ParameterException(command, "--spend needs --clock wall; the virtual clock always counts costs");
        }
        if (scenario.durationPicos() <= 0) {
            throw new ParameterException(command, "--duration must be more than 0");
        }
        if (options.seed != null && options.seed < 0) {
            throw new ParameterException(command, "--seed must be 0 or more");
        }
        if (options.metricsDump != null && session.metricsDump().isEmpty()) {
            throw new ParameterException(command, "--metrics-dump is not part of this build");
        }
    }

    /** Each result that can be written is; the first that cannot decides the exit code. */
    private int deliver(RunOutcome outcome, OptionalFile result, OptionalFile dump) {
        Failures failures = new Failures(session.err());
        int code = ExitCode.DONE;
        String text = text(outcome.report());
        try {
            if (!result.complete(text)) {
                session.print(text);
            }
        } catch (IOException e) {
            code = failures.failed(e);
        }
        try {
            dump.complete(outcome.metrics().orElse(""));
        } catch (IOException e) {
            code = failures.failed(e);
        }
        for (IOException e : outcome.failures()) {
            code = failures.failed(e);
        }
        return code;
    }

    private String text(Report report) {
        RunOptions.Form form = options.form;
        if (form != null && form.json) {
            return ResultJson.text(report);
        }
        return form != null && form.csv ? ResultCsv.text(report) : ResultTable.text(report);
    }

    /** A file if one was asked for. */
    private record OptionalFile(Optional<OutputFile> file) implements AutoCloseable {
        static OptionalFile open(@Nullable Path path) throws IOException {
            return new OptionalFile(path == null ? Optional.empty() : Optional.of(OutputFile.open(path)));
        }

        /** @return whether there is a file */
        boolean complete(String text) throws IOException {
            if (file.isEmpty()) {
                return false;
            }
            file.get().complete(text);
            return true;
        }

        @Override
        public void close() {
            file.ifPresent(OutputFile::close);
        }
    }
}

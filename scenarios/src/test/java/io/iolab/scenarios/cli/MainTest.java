package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.scenarios.result.HandBuilt;
import io.iolab.scenarios.result.Report;
import io.iolab.scenarios.result.ResultSchema;
import io.iolab.scenarios.run.MetricsDump;
import io.iolab.scenarios.run.RunOutcome;
import io.iolab.scenarios.run.RunRequest;
import io.iolab.scenarios.run.ScenarioRunner;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioSchema;
import io.iolab.scenarios.schema.SchemaCheck;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.inject.Bug;
import io.iolab.vmm.inject.Injection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DESIGN, The command line: exit codes, what goes to which stream, and where files end up. */
class MainTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Scenario> ran = new ArrayList<>();
    private final List<RunRequest> requests = new ArrayList<>();
    private ScenarioRunner runner = this::handBuilt;

    private RunOutcome handBuilt(Scenario scenario, RunRequest request) {
        ran.add(scenario);
        requests.add(request);
        Report report = Report.of(scenario, "1.2.3", List.of(HandBuilt.emulated()), List.of());
        return new RunOutcome(report, request.metricsDump().map(dump -> dump.text(null)), List.of());
    }

    private int iolab(String... args) {
        return iolab(out, args);
    }

    private int iolab(OutputStream stdout, String... args) {
        MetricsDump dump = lab -> "iolab_build_info 1\n";
        return Main.execute(
                args, stdout, new PrintStream(err, true, StandardCharsets.UTF_8), runner, Optional.of(dump));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void shouldPrintTheTableOfTheDefaultScenario() {
        assertThat(iolab("compare")).isZero();

        assertThat(out())
                .startsWith("Scenario side-by-side  seed 1  clock virtual")
                .contains("exits/pkt");
        assertThat(err()).isEmpty();
        assertThat(ran.getFirst().guests()).hasSize(3);
    }

    @Test
    void shouldAddTheNativeGuest() {
        assertThat(iolab("compare", "ping-pong", "--native")).isZero();
        assertThat(ran.getFirst().guests()).hasSize(4);
    }

    @Test
    void shouldCompareVariantsOfAPath() {
        assertThat(iolab("compare", "--paths", "virtio,virtio{backend: poll},passthrough", "--native"))
                .isZero();

        assertThat(ran.getFirst().guests())
                .extracting(GuestConfig::name)
                .containsExactly("virtio", "virtio-poll", "passthrough", "native");
    }

    @Test
    void shouldPrintOneJsonDocumentThatMeetsItsSchema() throws IOException {
        assertThat(iolab("run", "doorbell-cost", "--json")).isZero();

        JsonNode document = new ObjectMapper().readTree(out());
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).isEmpty();
        assertThat(document.path("scenario").asText()).isEqualTo("doorbell-cost");
    }

    @Test
    void shouldHandTheBugsOnToEveryGuestThatCanHaveThem() {
        assertThat(iolab("compare", "--inject", "transmit-hang", "--inject", "missed-kick-recheck@virtio"))
                .isZero();

        assertThat(requests.getFirst().injections())
                .containsExactly(
                        new Injection(Bug.TRANSMIT_HANG, "emulated"),
                        new Injection(Bug.TRANSMIT_HANG, "passthrough"),
                        new Injection(Bug.MISSED_KICK_RECHECK, "virtio"));
    }

    @Test
    void shouldSuggestBugsAndGuestsThatMayHaveBeenMeant() {
        assertThat(iolab("compare", "--inject", "transmit-hnag")).isEqualTo(2);
        assertThat(err()).contains("unknown bug 'transmit-hnag'", "Did you mean transmit-hang?");
        err.reset();
        assertThat(iolab("compare", "--inject", "transmit-hang@emulatd")).isEqualTo(2);
        assertThat(err()).contains("no guest 'emulatd'", "Did you mean emulated?");
        err.reset();
        assertThat(iolab("inject", "show", "level-not-rearm")).isEqualTo(2);
        assertThat(err()).contains("Did you mean level-not-rearmed?");
        assertThat(ran).isEmpty();
    }

    @Test
    void shouldSayWhichPathsCanHaveABugThatNoneOfTheGuestsCan() {
        assertThat(iolab("run", "doorbell-cost", "--inject", "missed-kick-recheck"))
                .isEqualTo(2);
        assertThat(err())
                .contains(
                        "missed-kick-recheck is a bug of virtio with ring: split and event_index: true", ": emulated");
        err.reset();
        assertThat(iolab("compare", "--inject", "wrong-dma-direction@virtio")).isEqualTo(2);
        assertThat(err()).contains("wrong-dma-direction is a bug of passthrough");
        assertThat(ran).isEmpty();
    }

    @Test
    void shouldListAndExplainEveryBug() throws IOException {
        assertThat(iolab("inject", "list")).isZero();
        for (Bug bug : Bug.values()) {
            assertThat(out()).contains(bug.label());
        }
        for (Bug bug : Bug.values()) {
            out.reset();
            assertThat(iolab("inject", "show", bug.label())).isZero();
            assertThat(out()).startsWith(bug.label()).contains("What is to be seen", bug.met(), "Right");
            assertThat(out().lines())
                    .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(120));
        }
        out.reset();
        assertThat(iolab("inject", "list", "--json")).isZero();
        JsonNode document = new ObjectMapper().readTree(out());
        assertThat(document.path("schema").asText()).isEqualTo("iolab.inject/1");
        assertThat(document.path("bugs")).hasSize(Bug.values().length);
    }

    @Test
    void shouldPrintCsv() {
        assertThat(iolab("compare", "--csv")).isZero();
        assertThat(out()).startsWith("scenario,seed,").endsWith("\r\n");
    }

    @Test
    void shouldLetOptionsReplaceWhatTheScenarioSays() {
        int code = iolab(
                "run",
                "ping-pong",
                "--seed",
                "7",
                "--duration",
                "2ms",
                "--warmup",
                "0ns",
                "--clock",
                "wall",
                "--spend");

        assertThat(code).as(err()).isZero();
        assertThat(ran.getFirst().seed()).isEqualTo(7);
        assertThat(ran.getFirst().durationPicos()).isEqualTo(2_000_000_000L);
        assertThat(ran.getFirst().warmupPicos()).isZero();
        assertThat(ran.getFirst().clock()).isEqualTo(ClockMode.WALL);
        assertThat(requests.getFirst().spendCosts()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "compre                       | unknown command 'compre'       | Did you mean compare?",
                "compare --jsno               | unknown option '--jsno'        | Did you mean --json?",
                "compare side-by-sde          | no scenario 'side-by-sde'      | Did you mean side-by-side?",
                "run pingpong                 | no scenario 'pingpong'         | Did you mean ping-pong?",
                "scenario lst                 | unknown command 'lst'          | Did you mean list?",
                "scenario show nothing        | no scenario 'nothing'          | Try: iolab scenario list",
                "run                          | SCENARIO                       | Try: iolab run --help",
                "compare --json --csv         | mutually exclusive             | Try: iolab compare --help",
                "compare --duration 5         | a time such as 10us            | Try: iolab compare --help",
                "compare --duration 0ns       | more than 0                    | Try: iolab compare --help",
                "compare --seed -1            | --seed must be 0 or more       | Try: iolab compare --help",
                "compare --clock sundial      | --clock                        | Try: iolab compare --help",
                "compare --paths vrtio        | --paths:1:1: expected one of   | Try: iolab compare --help",
                "compare --paths virtio{x:0}  | --paths:1:8: unknown key 'x:0' | Try: iolab compare --help",
                "compare --spend              | --spend needs --clock wall     | Try: iolab compare --help",
            })
    void shouldEndWith2AndSayWhatWasMeant(String line, String problem, String hint) {
        assertThat(iolab(line.split(" "))).isEqualTo(2);

        assertThat(err()).startsWith("iolab: ").contains(problem).contains(hint);
        assertThat(out()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "scenario"})
    void shouldShowHelpOnStandardErrorWhenNoCommandIsGiven(String line) {
        assertThat(line.isEmpty() ? iolab() : iolab(line)).isEqualTo(2);
        assertThat(out()).isEmpty();
        assertThat(err()).contains("Usage: iolab");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help",
                "compare --help",
                "run --help",
                "scenario --help",
                "doctor --help",
                "bench --help",
                "bench rings --help",
                "help compare"
            })
    void shouldStartHelpWithExamples(String line) {
        assertThat(iolab(line.split(" "))).isZero();
        assertThat(out().indexOf("Examples:")).isPositive().isLessThan(out().indexOf("Usage:"));
        assertThat(out()).contains("Exit codes:");
    }

    @Test
    void shouldEndWith3AndLineAndColumnWhenTheScenarioIsBad() throws IOException {
        Path file = Files.writeString(folder.resolve("bad.yaml"), "version: 1\nduratoin: 5ms\n");

        assertThat(iolab("run", file.toString())).isEqualTo(3);
        assertThat(iolab("scenario", "validate", file.toString())).isEqualTo(3);
        assertThat(err()).startsWith("iolab: " + file + ":2:1: ");
        assertThat(ran).isEmpty();
    }

    @Test
    void shouldEndWith3WhenTheMachineRefusesAnInputFile() {
        runner = (scenario, request) -> {
            throw new ConfigException("x.pcap", 0, 0, "no frames");
        };
        assertThat(iolab("compare")).isEqualTo(3);
        assertThat(err()).isEqualTo("iolab: x.pcap: no frames\n");
    }

    @Test
    void shouldEndWith3WhenACaptureIsTruncated() throws IOException {
        Path capture = Files.write(folder.resolve("cut.pcap"), new byte[] {(byte) 0xd4, (byte) 0xc3, (byte) 0xb2});
        Path file =
                Files.writeString(folder.resolve("s.yaml"), "version: 1\nworkload: {kind: replay, file: cut.pcap}\n");

        assertThat(iolab("run", file.toString())).isEqualTo(3);
        assertThat(err()).startsWith("iolab: " + file + ":2:32: ").contains(capture.toString());
    }

    @Test
    void shouldEndWith4WhenAFileIsMissing() {
        Path file = folder.resolve("none.yaml");

        assertThat(iolab("run", file.toString())).isEqualTo(4);
        assertThat(err()).isEqualTo("iolab: " + file + ": no such file or directory\n");
    }

    @Test
    void shouldEndWith4WhenTheMachineLacksSomething() {
        runner = (scenario, request) -> {
            throw new NoSuchFileException("/dev/shm/lab");
        };
        assertThat(iolab("compare")).isEqualTo(4);
        runner = (scenario, request) -> {
            throw new OutOfMemoryError("Cannot reserve 8 GiB");
        };
        assertThat(iolab("compare")).isEqualTo(4);
        assertThat(err()).contains("IOLAB_JAVA_OPTS");
    }

    @Test
    void shouldEndWith5AndSayWhereTheStackTraceIsWhenItIsOurBug() throws IOException {
        runner = (scenario, request) -> {
            throw new IllegalStateException("ring index 300");
        };
        assertThat(iolab("compare")).isEqualTo(5);

        assertThat(err()).contains("bug of iolab").contains("ring index 300").doesNotContain("\tat ");
        Path trace = Path.of(err().replaceAll("(?s).*stack trace is in (\\S+);.*", "$1"));
        assertThat(trace).content().contains("ring index 300").contains("\tat ");
        Files.delete(trace);
    }

    @Test
    void shouldWriteTheResultToAFileAndNothingElse() throws IOException {
        Path file = Files.writeString(folder.resolve("r.json"), "old");

        assertThat(iolab("compare", "--json", "--output", file.toString())).isZero();

        assertThat(out()).isEmpty();
        assertThat(file).content().startsWith("{\n  \"schema\": \"iolab.result/1\"");
        assertThat(files()).containsExactly(file);
    }

    @Test
    void shouldKeepALinkAndReplaceItsTarget() throws IOException {
        Path file = Files.writeString(folder.resolve("r.json"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("r.json"));

        assertThat(iolab("compare", "--json", "--output", link.toString())).isZero();

        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(file).content().startsWith("{");
    }

    @Test
    void shouldWriteToADeviceInItsPlace() {
        assertThat(iolab("compare", "--output", "/dev/null")).isZero();
        assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
    }

    @Test
    void shouldLeaveTheOldFileAndNoLitterWhenTheRunFails() throws IOException {
        Path file = Files.writeString(folder.resolve("r.json"), "old");
        runner = (scenario, request) -> {
            throw new NoSuchFileException("/dev/shm/lab");
        };

        assertThat(iolab("compare", "--output", file.toString())).isEqualTo(4);

        assertThat(file).hasContent("old");
        assertThat(files()).containsExactly(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--output", "--metrics-dump"})
    void shouldEndWith4BeforeTheRunWhenAnOutputCannotBeWritten(String option) {
        assertThat(iolab(
                        "compare",
                        option,
                        folder.resolve("no/such/folder/r.json").toString()))
                .isEqualTo(4);
        assertThat(iolab("compare", option, folder.toString())).isEqualTo(4);

        assertThat(err()).contains("no such file or directory").contains("is a directory");
        assertThat(ran).isEmpty();
    }

    @Test
    void shouldStillPrintTheResultWhenACaptureCouldNotBeFinished() {
        runner = (scenario, request) -> new RunOutcome(
                HandBuilt.report(HandBuilt.emulated()),
                Optional.empty(),
                List.of(new IOException("cannot write capture emulated.tx.pcap: No space left on device")));

        assertThat(iolab("compare", "--pcap", folder.toString())).isEqualTo(4);

        assertThat(out()).startsWith("Scenario hand-built");
        assertThat(err()).isEqualTo("iolab: cannot write capture emulated.tx.pcap: No space left on device\n");
    }

    @Test
    void shouldWriteTheMetrics() {
        Path file = folder.resolve("metrics.txt");

        assertThat(iolab("compare", "--metrics-dump", file.toString())).isZero();

        assertThat(file).hasContent("iolab_build_info 1");
        assertThat(out()).startsWith("Scenario");
    }

    @ParameterizedTest
    @CsvSource({"Broken pipe,0", "No space left on device,4"})
    void shouldTellAClosedPipeFromAFullDisk(String message, int code) {
        OutputStream failing = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException(message);
            }
        };

        assertThat(iolab(failing, "compare")).isEqualTo(code);
        assertThat(err()).isEqualTo(code == 0 ? "" : "iolab: cannot write standard output: No space left on device\n");
    }

    @Test
    void shouldListAndShowScenarios() {
        assertThat(iolab("scenario", "show", "side-by-side")).isZero();
        assertThat(out()).startsWith("# ").contains("kind: udp-stream");
    }

    @Test
    void shouldPrintBothSchemas() throws IOException {
        assertThat(iolab("scenario", "schema")).isZero();
        assertThat(new ObjectMapper().readTree(out()).path("title"))
                .isEqualTo(ScenarioSchema.document().path("title"));
        out.reset();
        assertThat(iolab("scenario", "schema", "--result")).isZero();
        assertThat(new ObjectMapper().readTree(out()).path("title").asText()).isEqualTo("iolab.result/1");
    }

    @Test
    void shouldValidateResultsOfItsOwn() throws IOException {
        Path file = folder.resolve("r.json");
        assertThat(iolab("compare", "--json", "--output", file.toString())).isZero();
        assertThat(iolab("scenario", "validate", "--result", file.toString())).isZero();
        assertThat(out()).isEqualTo(file + ": valid, iolab.result/1\n");

        Files.writeString(file, Files.readString(file).replace("\"pps\": 80000.0", "\"pps\": \"fast\""));
        assertThat(iolab("scenario", "validate", "--result", file.toString())).isEqualTo(3);
        assertThat(err()).contains("/paths/0/pps: ");

        Files.writeString(file, "{\n  \"schema\": }");
        assertThat(iolab("scenario", "validate", "--result", file.toString())).isEqualTo(3);
        assertThat(err()).contains(file + ":2:13: not JSON");
    }
}

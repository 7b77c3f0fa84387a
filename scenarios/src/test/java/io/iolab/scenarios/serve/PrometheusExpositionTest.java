package io.iolab.scenarios.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.iolab.vmm.Lab;
import io.iolab.vmm.ledger.Buckets;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.metrics.LabMeter;
import io.iolab.vmm.metrics.MeterTag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The text formats: Prometheus' exposition format 0.0.4 and OpenMetrics 1.0. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PrometheusExpositionTest {
    private static final Path PROMTOOL = Path.of("/usr/bin/promtool");
    private static final long MILLISECOND = 1_000_000_000L;

    private Lab lab;
    private PrometheusExposition exposition;
    private String text;

    @BeforeAll
    void run() throws Exception {
        lab = Lab.create(Scenarios.everything().labConfig(false));
        exposition = new PrometheusExposition(lab, "1.2.3");
        lab.warmUp(MILLISECOND);
        lab.measure(3 * MILLISECOND, passed -> {});
        text = exposition.text(PrometheusExposition.PLAIN);
    }

    @AfterAll
    void close() {
        lab.close();
    }

    private List<String> lines(String start) {
        return text.lines().filter(line -> line.startsWith(start)).toList();
    }

    private double value(String series, String... labels) {
        List<String> found = lines(series + "{").stream()
                .filter(line -> Arrays.stream(labels).allMatch(line::contains))
                .toList();
        assertThat(found).as("%s %s", series, List.of(labels)).hasSize(1);
        return Double.parseDouble(found.getFirst().substring(found.getFirst().lastIndexOf(' ')));
    }

    private static String label(String key, String value) {
        return key + "=\"" + value + "\"";
    }

    @ParameterizedTest
    @EnumSource(LabMeter.class)
    void shouldCarryEveryMeterOnceWithHelpTypeAndLabels(LabMeter meter) {
        String name = meter.kind() == LabMeter.Kind.COUNTER ? meter.series().getFirst() : meter.family();
        String type = switch (meter.kind()) {
            case COUNTER -> "counter";
            case GAUGE -> "gauge";
            case TIMER -> "histogram";
        };

        assertThat(lines("# TYPE " + name + " ")).containsExactly("# TYPE " + name + " " + type);
        assertThat(lines("# HELP " + name + " ")).containsExactly("# HELP " + name + " " + meter.description());
        for (String series : meter.series()) {
            List<String> samples = text.lines()
                    .filter(line -> line.startsWith(series + "{") || line.startsWith(series + " "))
                    .toList();
            assertThat(samples)
                    .isNotEmpty()
                    .allSatisfy(sample -> assertThat(Pattern.compile("(\\w+)=\"")
                                    .matcher(sample)
                                    .results()
                                    .map(match -> match.group(1)))
                            .filteredOn(key -> !key.equals("le"))
                            .containsExactlyInAnyOrderElementsOf(
                                    meter.tags().stream().map(MeterTag::key).toList()));
        }
    }

    @Test
    void shouldCarryNothingThatIsNotInTheCatalogue() {
        List<String> families = Arrays.stream(LabMeter.values())
                .map(meter ->
                        meter.kind() == LabMeter.Kind.COUNTER ? meter.series().getFirst() : meter.family())
                .toList();

        assertThat(lines("# TYPE "))
                .extracting(line -> line.split(" ", -1)[2])
                .containsExactlyInAnyOrderElementsOf(families);
    }

    @Test
    @DisplayName("histograms: cumulative buckets with le in seconds, +Inf equal to the count")
    void shouldExportTheLedgersBuckets() {
        for (GuestLedger ledger : lab.ledgers()) {
            for (Direction direction : Direction.values()) {
                Buckets buckets = ledger.latency(direction).buckets();
                String guest = label("guest", ledger.guest());
                String way = label("direction", direction.name().toLowerCase(Locale.ROOT));
                long below = 0;
                for (int i = 0; i < Buckets.boundsNanos().length; i++) {
                    below += buckets.count(i);
                    String le = label("le", String.valueOf(Buckets.boundsNanos()[i] / 1e9));
                    assertThat(value("iolab_packet_latency_seconds_bucket", guest, way, le))
                            .isEqualTo(below);
                }
                assertThat(value("iolab_packet_latency_seconds_bucket", guest, way, label("le", "+Inf")))
                        .isEqualTo(buckets.count());
                assertThat(value("iolab_packet_latency_seconds_count", guest, way))
                        .isEqualTo(buckets.count());
                assertThat(value("iolab_packet_latency_seconds_sum", guest, way))
                        .isEqualTo(buckets.totalNanos() / 1e9);
            }
            assertThat(value("iolab_exit_handling_seconds_count", label("guest", ledger.guest())))
                    .isEqualTo(ledger.exits().total());
        }
    }

    @Test
    void shouldExportTheLedgersCounters() {
        for (GuestLedger ledger : lab.ledgers()) {
            for (Direction direction : Direction.values()) {
                String way = label("direction", direction.name().toLowerCase(Locale.ROOT));
                assertThat(value("iolab_net_frames_total", label("guest", ledger.guest()), way))
                        .isEqualTo(ledger.frames(direction));
            }
        }
        assertThat(lines("iolab_build_info")).containsExactly("iolab_build_info{version=\"1.2.3\"} 1");
    }

    @Test
    void shouldSpeakOpenMetricsToWhoAsksForIt() {
        String prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";

        assertThat(PrometheusExposition.contentType(prometheus)).isEqualTo(PrometheusExposition.OPEN_METRICS);
        assertThat(PrometheusExposition.contentType("")).isEqualTo(PrometheusExposition.PLAIN);
        assertThat(PrometheusExposition.contentType("text/html")).isEqualTo(PrometheusExposition.PLAIN);
        assertThat(exposition.text(PrometheusExposition.OPEN_METRICS)).endsWith("# EOF\n");
    }

    @Test
    void shouldDumpWhatAScrapeWouldGet() {
        assertThat(new PrometheusDump("1.2.3").text(lab)).isEqualTo(text);
    }

    @Test
    void shouldSatisfyPromtool(@TempDir Path folder) throws Exception {
        assumeTrue(Files.isExecutable(PROMTOOL), "no " + PROMTOOL + ": install the package prometheus");
        Path dump = Files.writeString(folder.resolve("metrics.txt"), text);
        Path said = folder.resolve("said.txt");

        Process promtool = new ProcessBuilder(PROMTOOL.toString(), "check", "metrics")
                .redirectInput(dump.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();

        assertThat(promtool.waitFor()).as(() -> read(said)).isZero();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            return e.toString();
        }
    }
}

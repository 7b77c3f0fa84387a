package io.iolab.scenarios.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every query of every dashboard, asked of a real Prometheus that scrapes a served lab. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DashboardQueriesTest {
    private static final Path PROMETHEUS = Path.of("/usr/bin/prometheus");
    /** More than the test lasts: a rate is over all samples there are. */
    private static final String RANGE = "5m";

    private static final int ENOUGH_SAMPLES = 5;

    private final HttpClient client = HttpClient.newHttpClient();
    private LabService service;
    private CompletableFuture<Void> run = CompletableFuture.completedFuture(null);
    private Process prometheus;
    private URI api;

    static List<Dashboard.Query> queries() throws IOException {
        return DashboardTest.queries();
    }

    @BeforeAll
    void serveAndScrape(@TempDir Path folder) throws Exception {
        assumeTrue(
                Files.isExecutable(PROMETHEUS),
                "no " + PROMETHEUS + ", so no dashboard query was tried: install the package prometheus");
        service = LabService.open(Scenarios.everything(), false, InetAddress.getLoopbackAddress(), 0, "test");
        int port = freePort();
        api = URI.create("http://127.0.0.1:" + port + "/");
        prometheus = start(port, folder);
        await().until(() -> prometheus.isAlive() && get("-/ready").statusCode() == 200);
        // A counter's increase begins with its first sample: faults come with the first descriptor and must not be
        // missed.
        await().until(() -> samples() > 0);
        run = CompletableFuture.runAsync(() -> {
            try {
                service.run(TimeUnit.MINUTES.toNanos(5));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        long before = samples();
        await().until(() -> samples() >= before + ENOUGH_SAMPLES);
    }

    private long samples() throws IOException, InterruptedException {
        return (long) number("count_over_time(iolab_clock_virtual_seconds[" + RANGE + "])", 0);
    }

    private static ConditionFactory await() {
        return Awaitility.await()
                .atMost(90, TimeUnit.SECONDS)
                .pollInterval(200, TimeUnit.MILLISECONDS)
                .ignoreExceptionsInstanceOf(IOException.class);
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    /** As grafana/prometheus.yml, but this lab's port and more often. */
    private Process start(int port, Path folder) throws IOException {
        String shipped = Files.readString(Dashboard.folder().resolve("prometheus.yml"));
        String ours =
                shipped.replace("127.0.0.1:9464", service.uri().getAuthority()).replace(": 1s", ": 500ms");
        Path config = Files.writeString(folder.resolve("prometheus.yml"), ours);
        return new ProcessBuilder(
                        PROMETHEUS.toString(),
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + folder.resolve("tsdb"),
                        "--web.listen-address=127.0.0.1:" + port,
                        "--log.level=warn")
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("prometheus.log").toFile())
                .start();
    }

    @AfterAll
    void stop() throws Exception {
        if (prometheus != null) {
            prometheus.destroy();
            if (!prometheus.waitFor(20, TimeUnit.SECONDS)) {
                prometheus.destroyForcibly().waitFor();
            }
        }
        if (service != null) {
            service.stop();
            run.get(60, TimeUnit.SECONDS);
            service.close();
        }
        client.close();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(api.resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** What an instant query gives. */
    private JsonNode ask(String expression) throws IOException, InterruptedException {
        HttpResponse<String> response =
                get("api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        JsonNode answer = new ObjectMapper().readTree(response.body());
        assertThat(answer.path("status").asText())
                .as("%s%n%s", expression, response.body())
                .isEqualTo("success");
        return answer.path("data").path("result");
    }

    @ParameterizedTest
    @MethodSource("queries")
    void shouldGetAnAnswer(Dashboard.Query query) throws Exception {
        String expression =
                query.expression().replace("$__rate_interval", RANGE).replaceAll("\\$(job|instance|guest|path)", ".+");

        JsonNode result = ask(expression);

        assertThat(result).as(expression).isNotEmpty();
        assertThat(result)
                .as("a figure for at least one series: %s", result)
                .anySatisfy(series -> assertThat(
                                Double.parseDouble(series.path("value").path(1).asText()))
                        .isFinite());
    }

    @Test
    @DisplayName("modelled throughput is what the ledger counted over the modelled time")
    void shouldDivideByTheVirtualClock() throws Exception {
        String window = "[3s]";
        String query = "sum by (path) (increase(iolab_net_frames_total{path=\"native\"}" + window
                + ")) / on () group_left () increase(iolab_clock_virtual_seconds" + window + ")";

        // The scenario has the native guest send 50,000 and receive 20,000 frames a modelled second. Until the slowest
        // guest has
        // booted nothing flows, so a window from the start shows less.
        await().untilAsserted(() -> assertThat(number(query, 0)).isBetween(69_000.0, 71_000.0));
    }

    private double number(String expression, double ifNone) throws IOException, InterruptedException {
        JsonNode value = ask(expression).path(0).path("value").path(1);
        return value.isMissingNode() ? ifNone : Double.parseDouble(value.asText());
    }
}

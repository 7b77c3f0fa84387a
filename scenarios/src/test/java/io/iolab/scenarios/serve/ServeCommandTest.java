package io.iolab.scenarios.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.scenarios.scenario.Scenario;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** {@code iolab serve}: what it answers, how it starts and stops. */
class ServeCommandTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Exception thrown;

    private int serve(String... args) {
        return new CommandLine(new ServeCommand("1.2.3"))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .setExecutionExceptionHandler((e, command, result) -> {
                    thrown = e;
                    return 99;
                })
                .execute(args);
    }

    private static HttpResponse<String> request(URI uri, String method) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(uri)
                    .method(method, BodyPublishers.noBody())
                    .build();
            return client.send(request, BodyHandlers.ofString());
        }
    }

    private static LabService open(Scenario scenario) throws Exception {
        return LabService.open(scenario, false, LOOPBACK, 0, "1.2.3");
    }

    @Test
    void shouldAnswerWithTheMetricsAndAPage() throws Exception {
        try (LabService service = open(Scenarios.everything())) {
            HttpResponse<String> metrics = request(service.uri().resolve("/metrics"), "GET");
            HttpResponse<String> page = request(service.uri(), "GET");
            HttpResponse<String> head = request(service.uri().resolve("/metrics"), "HEAD");

            assertThat(metrics.statusCode()).isEqualTo(200);
            assertThat(metrics.headers().firstValue("Content-Type")).contains(PrometheusExposition.PLAIN);
            assertThat(metrics.body()).contains("iolab_build_info{version=\"1.2.3\"} 1");
            assertThat(page.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
            assertThat(page.body())
                    .contains("href=\"/metrics\"", "unmapped", "Angles &lt;and&gt; &quot;quotes&quot; &amp; more");
            assertThat(head.statusCode()).isEqualTo(200);
            assertThat(head.body()).isEmpty();
            assertThat(request(service.uri().resolve("/metrics/more"), "GET").statusCode())
                    .isEqualTo(404);
            assertThat(request(service.uri().resolve("/metrics"), "POST").statusCode())
                    .isEqualTo(405);
        }
    }

    @Test
    void shouldRunUntilItIsStoppedAndFreeThePort() throws Exception {
        URI uri;
        try (LabService service = open(Scenarios.everything())) {
            uri = service.uri();
            CompletableFuture<Void> run = CompletableFuture.runAsync(() -> {
                try {
                    service.run(Long.MAX_VALUE);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            Awaitility.await()
                    .atMost(60, TimeUnit.SECONDS)
                    .until(() -> request(uri.resolve("/metrics"), "GET")
                            .body()
                            .matches("(?s).*iolab_net_frames_total\\{direction=\"tx\",guest=\"virtio\",path=\"virtio\"}"
                                    + " [1-9].*"));
            service.stop();
            run.get(60, TimeUnit.SECONDS);
        }
        assertThatThrownBy(() -> request(uri, "GET")).isInstanceOf(IOException.class);
    }

    @Test
    @DisplayName("the first line of output is where to scrape; --duration ends the command")
    void shouldSayWhereItListens() {
        int code = serve("ping-pong", "--port", "0", "--clock", "virtual", "--duration", "200ms");

        assertThat(thrown).isNull();
        assertThat(code).isZero();
        assertThat(out.toString()).matches("http://127\\.0\\.0\\.1:\\d+/metrics\\R");
        assertThat(err.toString()).startsWith("Serving ping-pong at http://127.0.0.1:");
    }

    @Test
    @DisplayName("a taken port: what, where, and what to do")
    void shouldSayThatThePortIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            int code = serve("--port", String.valueOf(taken.getLocalPort()), "--duration", "1s");

            assertThat(code).isEqualTo(99);
            assertThat(thrown)
                    .isInstanceOf(BindException.class)
                    .hasMessageContainingAll("127.0.0.1:" + taken.getLocalPort(), "in use", "--port");
            assertThat(out.toString()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--port=65536", "--port=-1", "--seed=-1", "--duration=0s", "--duration=soon"})
    void shouldRefuseWhatCannotBe(String option) {
        assertThat(serve(option)).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(out.toString()).isEmpty();
    }
}

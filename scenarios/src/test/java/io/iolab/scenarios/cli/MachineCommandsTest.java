package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code iolab doctor} and {@code iolab qtest}: commands that depend on the machine and run no scenario. */
class MachineCommandsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int iolab(String... args) {
        return Main.execute(
                args,
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                (scenario, request) -> {
                    throw new IllegalStateException("no scenario is run here");
                },
                Optional.empty());
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldSayWhatThisMachineHas() throws IOException {
        assertThat(iolab("doctor")).isZero();
        assertThat(out())
                .contains("jdk")
                .contains("/dev/kvm")
                .contains("tshark")
                .contains("iasl");
        out.reset();
        assertThat(iolab("doctor", "--json")).isZero();
        assertThat(new ObjectMapper().readTree(out()).path("schema").asText()).isEqualTo("iolab.doctor/1");
    }

    @Test
    void shouldShowQtestByExample() {
        assertThat(iolab("qtest", "--help")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("Examples:\n  iolab qtest -qtest unix:");
    }

    /** What makes no sense is wrong usage; a socket where nobody listens is the environment's fault. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2 | -machine q35",
                "2 | -qtest unix:/nonexistent/q -machine isapc",
                "2 | -qtest unix:/nonexistent/q -device nosuch",
                "4 | -qtest unix:/nonexistent/q -machine q35 -accel qtest",
                "4 | -qtest unix:/nonexistent/q -netdev socket,fd=999,id=n",
            })
    void shouldSayWhatIsWrongWithQtestOptions(int status, String words) {
        String[] args = ("qtest " + words).split(" ");
        assertThat(iolab(args)).isEqualTo(status);
        assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("iolab: ");
        assertThat(out.size()).isZero();
    }
}

package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code iolab bench viommu}. */
class BenchViommuCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int iolab(String arguments) {
        return Main.execute(
                arguments.split(" ", -1),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                (scenario, request) -> {
                    throw new IllegalStateException("no scenario is run here");
                },
                Optional.empty());
    }

    @Test
    void shouldPrintALineForMapsAndOneForUnmapsOfEveryMode() {
        assertThat(iolab("bench viommu --maps 8 --pages 1")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)
                        .lines()
                        .map(line -> line.strip().replaceAll(" {2,}", "|")))
                .hasSize(7)
                .anyMatch(line -> line.startsWith("shadow, queue|1|map|8|1.00|"))
                .anyMatch(line -> line.startsWith("nested|1|map|8|0.00|0.00|0.00|0.00|0.00|0.00"))
                .anyMatch(line -> line.startsWith("nested|1|unmap|8|1.00|"));
    }

    @Test
    void shouldPrintOneDocument() throws IOException {
        assertThat(iolab("bench viommu --maps 4 --pages 2,4 --json")).isZero();
        JsonNode root = new ObjectMapper().readTree(out.toString(StandardCharsets.UTF_8));
        assertThat(root.path("schema").asText()).isEqualTo("iolab.bench.viommu/1");
        assertThat(root.path("cases")).hasSize(6);
        assertThat(root.path("cases").path(0).path("map").path("exits").asInt()).isEqualTo(4);
        assertThat(root.path("cases").path(0).path("map").path("exit_ns").asLong())
                .isPositive();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bench viommu --maps 0",
                "bench viommu --maps 4097",
                "bench viommu --pages 3",
                "bench viommu --pages 512",
                "bench viommu --maps 4096 --pages 16"
            })
    void shouldRefuseWhatMakesNoSense(String arguments) {
        assertThat(iolab(arguments)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("expected");
    }
}

package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code iolab bench rings}: what it prints, and how it refuses. */
class BenchRingsCommandTest {
    @TempDir
    Path folder;

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

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private void program(String name, String script) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** ringtest does not kick what is left of a batch at the end, and would wait for ever. */
    @Test
    void shouldAskOpponentForWholeBatches() throws IOException {
        program("virtio_ring_0_9", "[ $(( $6 % $4 )) -eq 0 ] && sleep 0.01");

        int status = iolab(
                "bench rings --layout split --batch 48 --suppression on --duration 7ms --turns 1 --against " + folder);

        assertThat(status).as(err()).isZero();
    }

    @Test
    void shouldPrintOneRowForEachCase() {
        assertThat(iolab("bench rings --layout split,packed --batch 1,64 --suppression on --duration 1ms --turns 1"))
                .isZero();
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(5);
        assertThat(lines.getFirst()).contains("Mbuf/s", "kicks/buffer", "interrupts/buffer");
        assertThat(lines.get(1)).startsWith("  split").contains("on", " 1 ");
        assertThat(lines.get(4)).startsWith("  packed").contains("on", " 64 ");
    }

    @EnabledOnOs(OS.LINUX)
    @Test
    void shouldRunTheOtherProgramsInTurnAndGiveRatios() throws IOException {
        program("virtio_ring_inorder", "exec sleep 0.02");
        program("ring", "exec sleep 0.02");
        assertThat(iolab("bench rings --layout in-order --batch 64 --suppression off --duration 1ms --turns 2 --json"
                        + " --against " + folder))
                .isZero();
        JsonNode root = new ObjectMapper().readTree(out.toByteArray());
        assertThat(root.path("schema").asText()).isEqualTo("iolab.bench.rings/1");
        JsonNode one = root.path("cases").path(0);
        assertThat(one.path("layout").asText()).isEqualTo("in-order");
        assertThat(one.path("kicks_per_buffer").asDouble()).isZero();
        assertThat(one.path("against")).hasSize(2);
        for (JsonNode other : one.path("against")) {
            assertThat(other.path("ratio").path("min").asDouble()).isPositive();
            assertThat(other.path("ratio").path("max").asDouble())
                    .isGreaterThanOrEqualTo(other.path("ratio").path("median").asDouble());
        }
    }

    @Test
    void shouldSayWhichFolderOrProgramIsMissing() throws IOException {
        Path nowhere = folder.resolve("nowhere");
        assertThat(iolab("bench rings --against " + nowhere)).isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(err()).contains(nowhere + ": no such file or directory");
        assertThat(iolab("bench rings --layout packed --against " + folder)).isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(err()).contains(folder.resolve("ring") + ": no such file or directory");
        assertThat(out.size()).isZero();
    }

    @EnabledOnOs(OS.LINUX)
    @Test
    void shouldSayWhichProgramFailed() throws IOException {
        program("ring", "exit 3");
        assertThat(iolab("bench rings --layout packed --batch 1 --duration 1ms --against " + folder))
                .isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(err()).contains("ring: ended with 3");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bench",
                "bench rings --layout round",
                "bench rings --suppression maybe",
                "bench rings --batch 0",
                "bench rings --batch 257",
                "bench rings --size 100",
                "bench rings --turns 0",
                "bench rings --duration 0s"
            })
    void shouldRefuseWhatCannotBeMeasured(String arguments) {
        assertThat(iolab(arguments)).isEqualTo(ExitCode.USAGE);
        assertThat(out.size()).isZero();
        assertThat(err()).isNotEmpty();
    }
}

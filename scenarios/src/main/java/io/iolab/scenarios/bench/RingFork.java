package io.iolab.scenarios.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.vmm.rings.ExchangePlan;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A measurement in a JVM of its own, which runs {@code iolab bench rings} for the one case. A JVM compiles what it runs for what it
 * has run before: measured after a split ring a packed one is up to half as fast, since the calls of both go through the same
 * places. Hence JMH forks, and so does this.
 */
final class RingFork {
    private static final String MAIN = "io.iolab.scenarios.cli.Main";

    private RingFork() {}

    static RingTurn measure(ExchangePlan plan, long nanos) throws IOException {
        Process process = new ProcessBuilder(command(plan, nanos))
                .redirectError(Redirect.INHERIT)
                .start();
        try {
            String document = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException(
                        "bench rings: the JVM that measures " + plan.layout().label() + " ended with " + exit);
            }
            JsonNode measured =
                    new ObjectMapper().readTree(document).path("cases").path(0);
            return new RingTurn(
                    measured.path("buffers_per_second").path("median").asDouble(),
                    measured.path("kicks_per_buffer").asDouble(),
                    measured.path("interrupts_per_buffer").asDouble());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("bench rings: interrupted");
        } finally {
            process.destroyForcibly();
        }
    }

    /** This JVM's own flags and classes, but for an AOT cache: what it has learned elsewhere halves the speed of some rings. */
    private static List<String> command(ExchangePlan plan, long nanos) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (!flag.startsWith("-XX:AOT")) {
                command.add(flag);
            }
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN, "bench", "rings", "--json"));
        command.addAll(List.of("--layout", plan.layout().label()));
        command.addAll(List.of("--suppression", plan.suppression() ? "on" : "off"));
        command.addAll(List.of("--batch", String.valueOf(plan.batch())));
        command.addAll(List.of("--size", String.valueOf(plan.size())));
        command.addAll(List.of("--turns", "1", "--duration", nanos + "ns"));
        return command;
    }
}

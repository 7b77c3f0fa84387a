package io.iolab.scenarios.cli;

import io.iolab.scenarios.run.MetricsDump;
import io.iolab.scenarios.run.ScenarioRunner;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What the commands of one process share.
 *
 * @param out the result
 * @param err progress and errors
 * @param metricsDump behind {@code --metrics-dump}
 */
record Session(
        StandardOutput out, PrintStream err, ScenarioRunner runner, Optional<MetricsDump> metricsDump, String version) {

    /** Puts a part of the result on standard output. */
    void print(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.write(bytes, 0, bytes.length);
        out.flush();
    }
}

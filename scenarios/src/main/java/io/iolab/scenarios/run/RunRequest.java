package io.iolab.scenarios.run;

import io.iolab.vmm.inject.Injection;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * What a run does beside measuring.
 *
 * @param spendCosts wall clock only: burn the profile's costs as busy time
 * @param pcapFolder where each link's frames are captured
 * @param metricsDump makes {@link RunOutcome#metrics}
 * @param injections bugs put into guests
 * @param progressPicos told now and then how much of the measured part is done
 */
public record RunRequest(
        boolean spendCosts,
        Optional<Path> pcapFolder,
        Optional<MetricsDump> metricsDump,
        List<Injection> injections,
        LongConsumer progressPicos) {
    /** Measures, and nothing else. */
    public static final RunRequest PLAIN = new RunRequest(false, Optional.empty(), Optional.empty(), picos -> {});

    public RunRequest {
        injections = List.copyOf(injections);
    }

    /** Without bugs. */
    public RunRequest(
            boolean spendCosts,
            Optional<Path> pcapFolder,
            Optional<MetricsDump> metricsDump,
            LongConsumer progressPicos) {
        this(spendCosts, pcapFolder, metricsDump, List.of(), progressPicos);
    }

    /** The same with these bugs. */
    public RunRequest withInjections(List<Injection> bugs) {
        return new RunRequest(spendCosts, pcapFolder, metricsDump, bugs, progressPicos);
    }
}

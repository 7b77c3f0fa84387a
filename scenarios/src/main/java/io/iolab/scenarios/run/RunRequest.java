package io.iolab.scenarios.run;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * What a run does beside measuring.
 *
 * @param spendCosts wall clock only: burn the profile's costs as busy time
 * @param pcapFolder where each link's frames are captured
 * @param metricsDump makes {@link RunOutcome#metrics}
 * @param progressPicos told now and then how much of the measured part is done
 */
public record RunRequest(
        boolean spendCosts, Optional<Path> pcapFolder, Optional<MetricsDump> metricsDump, LongConsumer progressPicos) {
    /** Measures, and nothing else. */
    public static final RunRequest PLAIN = new RunRequest(false, Optional.empty(), Optional.empty(), picos -> {});
}

package io.iolab.scenarios.run;

import io.iolab.scenarios.result.Report;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What came of a run.
 *
 * @param metrics the counters, if asked for
 * @param failures files beside the report that could not be written to their end; they are gone, the others are complete
 */
public record RunOutcome(Report report, Optional<String> metrics, List<IOException> failures) {
    public RunOutcome {
        failures = List.copyOf(failures);
    }
}

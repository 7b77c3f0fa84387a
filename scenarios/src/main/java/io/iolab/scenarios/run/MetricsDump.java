package io.iolab.scenarios.run;

import io.iolab.vmm.Lab;

/** The counters of a run as the text that a scrape would get. */
@FunctionalInterface
public interface MetricsDump {
    /**
     * Called once, after the run.
     *
     * @param lab the run, not yet closed; its counters include the warm-up
     */
    String text(Lab lab);
}

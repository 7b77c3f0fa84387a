package io.iolab.scenarios.run;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;

/** Runs scenarios. */
@FunctionalInterface
public interface ScenarioRunner {
    /**
     * Runs to the end.
     *
     * @throws ConfigException if an input file of the scenario is not what it should be
     * @throws IOException if this machine cannot run it: no memory, a file or folder that cannot be read or created
     */
    RunOutcome run(Scenario scenario, RunRequest request) throws ConfigException, IOException;
}

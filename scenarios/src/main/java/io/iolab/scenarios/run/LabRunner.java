package io.iolab.scenarios.run;

import io.iolab.scenarios.result.DmaFaultLine;
import io.iolab.scenarios.result.Report;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.Lab;
import io.iolab.vmm.config.ConfigException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Runs scenarios on the machine. */
public final class LabRunner implements ScenarioRunner {
    private final String version;

    /** @param version of the lab, for reports */
    public LabRunner(String version) {
        this.version = version;
    }

    @Override
    public RunOutcome run(Scenario scenario, RunRequest request) throws ConfigException, IOException {
        // Before anything runs, so that a folder that cannot be written costs no time.
        Optional<PcapFolder> captures = request.pcapFolder().isPresent()
                ? Optional.of(PcapFolder.open(request.pcapFolder().get()))
                : Optional.empty();
        try (Lab lab = Lab.create(scenario.labConfig(request.spendCosts()).withInjections(request.injections()))) {
            if (captures.isPresent()) {
                captures.get().attach(lab.links());
            }
            lab.warmUp(scenario.warmupPicos());
            lab.measure(scenario.durationPicos(), request.progressPicos());
            Report report = Report.of(scenario, version, lab.figures(), DmaFaultLine.of(lab.faults()))
                    .with(lab.injections(), lab.watchdog());
            Optional<String> metrics = request.metricsDump().map(dump -> dump.text(lab));
            List<IOException> failures = captures.map(PcapFolder::finish).orElse(List.of());
            return new RunOutcome(report, metrics, failures);
        } finally {
            captures.ifPresent(PcapFolder::close);
        }
    }
}

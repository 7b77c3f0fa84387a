package io.iolab.scenarios.result;

import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.inject.InjectionOutcome;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WatchdogEvent;
import java.util.List;
import java.util.Optional;

/**
 * A finished run.
 *
 * @param scenario its name
 * @param profile the cost profile's name
 * @param era the hardware era of the profile
 * @param version of the lab
 * @param guests in the scenario's order
 * @param faults DMA requests that the IOMMU refused, set-up included
 * @param injections bugs that were put into guests
 * @param watchdog what watchdogs found since the start of the run
 */
public record Report(
        String scenario,
        long seed,
        ClockMode clock,
        String profile,
        String era,
        String version,
        List<GuestFigures> guests,
        List<DmaFaultLine> faults,
        List<InjectionOutcome> injections,
        List<WatchdogEvent> watchdog) {

    public Report {
        guests = List.copyOf(guests);
        faults = List.copyOf(faults);
        injections = List.copyOf(injections);
        watchdog = List.copyOf(watchdog);
    }

    /** A run without bugs, in which no watchdog barked. */
    public Report(
            String scenario,
            long seed,
            ClockMode clock,
            String profile,
            String era,
            String version,
            List<GuestFigures> guests,
            List<DmaFaultLine> faults) {
        this(scenario, seed, clock, profile, era, version, guests, faults, List.of(), List.of());
    }

    /** The same run with these bugs and findings. */
    public Report with(List<InjectionOutcome> bugs, List<WatchdogEvent> findings) {
        return new Report(scenario, seed, clock, profile, era, version, guests, faults, bugs, findings);
    }

    public static Report of(Scenario scenario, String version, List<GuestFigures> guests, List<DmaFaultLine> faults) {
        return new Report(
                scenario.name(),
                scenario.seed(),
                scenario.clock(),
                scenario.profile().name(),
                scenario.profile().era(),
                version,
                guests,
                faults);
    }

    /** Length of the measured part in the run's clock. */
    public double seconds() {
        return guests.stream().mapToDouble(GuestFigures::seconds).max().orElse(0);
    }

    /** One row per guest. */
    List<PathFigures> rows() {
        return guests.stream().map(PathFigures::new).toList();
    }

    /** The yardstick, if it ran. */
    Optional<PathFigures> yardstick() {
        return rows().stream().filter(row -> row.path() == Path.NATIVE).findFirst();
    }
}

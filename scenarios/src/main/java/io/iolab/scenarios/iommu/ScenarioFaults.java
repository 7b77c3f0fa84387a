package io.iolab.scenarios.iommu;

import java.util.List;

/**
 * What the units of a scenario refused.
 *
 * @param host what the host's unit has recorded and what is no guest's own doing
 * @param guests what guests have read from the units that they see, in the order of the guests
 */
public record ScenarioFaults(List<ExplainedFault> host, List<GuestFault> guests) {
    /** Of a run without guests that see a unit. */
    public static ScenarioFaults of(List<ExplainedFault> host) {
        return new ScenarioFaults(host, List.of());
    }

    /** Those of this guest's unit alone. */
    public ScenarioFaults ofGuest(String name) {
        return new ScenarioFaults(
                List.of(),
                guests.stream().filter(fault -> fault.guest().equals(name)).toList());
    }
}

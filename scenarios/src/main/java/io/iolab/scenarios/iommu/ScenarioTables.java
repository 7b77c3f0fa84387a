package io.iolab.scenarios.iommu;

import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.Lab;
import io.iolab.vmm.SeenUnit;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.inject.Injection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/** A scenario run for a moment, to look at its tables and faults: the guests boot, then send for a millisecond. */
public final class ScenarioTables {
    private static final long MOMENT = 1_000_000_000L;

    private ScenarioTables() {}

    /**
     * Looks at the tables of the scenario's host.
     *
     * @throws ConfigException as {@link Lab#create}
     * @throws IOException as {@link Lab#create}
     */
    public static TableWalk walk(Scenario scenario, Function<TableView, TableWalk> question)
            throws ConfigException, IOException {
        try (Lab lab = Lab.create(scenario.labConfig(false))) {
            lab.warmUp(MOMENT);
            return question.apply(new TableView() {
                @Override
                public TableWalk explain(WalkRequest request) {
                    return lab.explain(request);
                }

                @Override
                public TableWalk interrupt(int rid, int index) {
                    return lab.explainInterrupt(rid, index);
                }
            });
        }
    }

    /**
     * The faults that the scenario's host has recorded, and those that its guests have read.
     *
     * @param bugs put into its guests
     * @throws ConfigException as {@link Lab#create}
     * @throws IOException as {@link Lab#create}
     */
    public static ScenarioFaults faults(Scenario scenario, List<Injection> bugs) throws ConfigException, IOException {
        try (Lab lab = Lab.create(scenario.labConfig(false).withInjections(bugs))) {
            lab.warmUp(MOMENT);
            lab.measure(MOMENT, picos -> {});
            FaultLedger ledger =
                    new FaultLedger(report -> Optional.of(lab.explain(report)), ScenarioTables::withoutUnit);
            lab.faults().forEach((report, records) -> ledger.add(report, records));
            List<GuestFault> guests = new ArrayList<>();
            lab.guestUnits().forEach(unit -> addTo(guests, unit));
            return new ScenarioFaults(ledger.faults(), guests);
        }
    }

    private static void addTo(List<GuestFault> list, SeenUnit unit) {
        Map<FaultReport, SeenUnit.Registers> registers = new HashMap<>();
        FaultLedger ledger =
                new FaultLedger(report -> Optional.of(unit.explain(report)), report -> withoutUnit(unit, report));
        for (SeenUnit.Fault fault : unit.faults()) {
            registers.put(fault.report(), fault.registers());
            ledger.add(fault.report(), fault.records());
        }
        for (ExplainedFault fault : ledger.faults()) {
            list.add(new GuestFault(unit.guest(), fault, Objects.requireNonNull(registers.get(fault.report()))));
        }
    }

    /** Without its unit the guest's addresses for the device would be those of its memory, and the host's unit is there all the same. */
    private static String withoutUnit(SeenUnit unit, FaultReport report) {
        if (Long.compareUnsigned(report.iovaPage(), unit.memoryBytes()) >= 0) {
            return "the host's unit would have refused it: the guest has no memory at 0x%x."
                    .formatted(report.iovaPage());
        }
        return WithoutUnit.of(report, RequestType.UNTRANSLATED, "the guest's memory at 0x%x"::formatted);
    }

    private static String withoutUnit(FaultReport report) {
        return WithoutUnit.of(
                report,
                RequestType.UNTRANSLATED,
                "host memory at 0x%x, which is not the guest's at that address,"::formatted);
    }
}

package io.iolab.scenarios.iommu;

import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.vmm.Lab;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.inject.Injection;
import java.io.IOException;
import java.util.List;
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
     * The faults that the scenario's host has recorded.
     *
     * @param bugs put into its guests
     * @throws ConfigException as {@link Lab#create}
     * @throws IOException as {@link Lab#create}
     */
    public static List<ExplainedFault> faults(Scenario scenario, List<Injection> bugs)
            throws ConfigException, IOException {
        try (Lab lab = Lab.create(scenario.labConfig(false).withInjections(bugs))) {
            lab.warmUp(MOMENT);
            lab.measure(MOMENT, picos -> {});
            FaultLedger ledger =
                    new FaultLedger(report -> Optional.of(lab.explain(report)), ScenarioTables::withoutUnit);
            lab.faults().forEach((report, records) -> ledger.add(report, records));
            return ledger.faults();
        }
    }

    private static String withoutUnit(FaultReport report) {
        return WithoutUnit.of(
                report,
                RequestType.UNTRANSLATED,
                "host memory at 0x%x, which is not the guest's at that address,"::formatted);
    }
}

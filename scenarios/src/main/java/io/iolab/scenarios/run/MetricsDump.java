package io.iolab.scenarios.run;

import io.iolab.vmm.ledger.GuestLedger;
import java.util.List;

/** The counters of a run as the text that a scrape would get. */
@FunctionalInterface
public interface MetricsDump {
    /**
     * Called once, after the run.
     *
     * @param ledgers one per guest, warm-up included
     * @param nowPicos the run's clock
     */
    String text(List<GuestLedger> ledgers, long nowPicos);
}

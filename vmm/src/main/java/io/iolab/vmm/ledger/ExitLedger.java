package io.iolab.vmm.ledger;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The exits of one guest, by reason, detail and handler. Counters are created on first use and kept. */
public final class ExitLedger {
    private final CopyOnWriteArrayList<ExitCounter> counters = new CopyOnWriteArrayList<>();

    /** The counter for a kind of exit. Callers on a hot path keep it. */
    public ExitCounter counter(ExitReason reason, String detail, ExitHandler handler) {
        for (ExitCounter counter : counters) {
            if (counter.reason() == reason
                    && counter.handler() == handler
                    && counter.detail().equals(detail)) {
                return counter;
            }
        }
        ExitCounter counter = new ExitCounter(reason, detail, handler);
        counters.add(counter);
        return counter;
    }

    /** In the order of first use. Any thread may iterate. */
    public List<ExitCounter> counters() {
        return counters;
    }

    /** All exits so far. */
    public long total() {
        long total = 0;
        for (ExitCounter counter : counters) {
            total += counter.count();
        }
        return total;
    }
}

package io.iolab.scenarios.bench;

import io.iolab.vmm.rings.ExchangeFigures;
import io.iolab.vmm.rings.ExchangePlan;
import io.iolab.vmm.rings.RingExchange;
import java.io.IOException;

/**
 * What one measurement of a case gave.
 *
 * @param rate buffers a second
 * @param kicks a buffer
 * @param interrupts a buffer
 */
record RingTurn(double rate, double kicks, double interrupts) {
    /** Until the compiler is done. */
    private static final long WARM_UP_NANOS = 800_000_000L;

    /** Where a case is measured for so many nanoseconds. */
    @FunctionalInterface
    interface Place {
        RingTurn measure(ExchangePlan plan, long nanos) throws IOException;
    }

    /** In this JVM. */
    static RingTurn here(ExchangePlan plan, long nanos) {
        try (RingExchange exchange = new RingExchange(plan)) {
            exchange.passFor(WARM_UP_NANOS);
            ExchangeFigures figures = exchange.passFor(nanos);
            double buffers = figures.buffers();
            return new RingTurn(figures.buffersPerSecond(), figures.kicks() / buffers, figures.interrupts() / buffers);
        }
    }
}

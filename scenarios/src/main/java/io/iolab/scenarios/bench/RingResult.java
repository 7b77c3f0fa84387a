package io.iolab.scenarios.bench;

import io.iolab.vmm.rings.ExchangePlan;
import java.util.List;

/**
 * One case, measured in several turns.
 *
 * @param rate buffers a second
 * @param kicks a buffer
 * @param interrupts a buffer
 */
public record RingResult(
        ExchangePlan plan, Spread rate, double kicks, double interrupts, List<Comparison> comparisons) {

    /**
     * Against a program in C.
     *
     * @param rate its buffers a second
     * @param ratio the lab's rate over the program's, turn by turn
     */
    public record Comparison(String program, Spread rate, Spread ratio) {}

    public RingResult {
        comparisons = List.copyOf(comparisons);
    }

    double nanosPerBuffer() {
        return 1e9 / rate.median();
    }
}

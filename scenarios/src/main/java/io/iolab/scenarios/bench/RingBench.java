package io.iolab.scenarios.bench;

import io.iolab.vmm.rings.ExchangePlan;
import io.iolab.vmm.rings.RingLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Rings between two threads. A single measurement is made in this JVM; of several each is made in one of its own.
 *
 * @param plans one for each case
 * @param turns measurements of each, at least 1
 * @param nanos wall time of each
 * @param against where the programs of ringtest are
 */
public record RingBench(List<ExchangePlan> plans, int turns, long nanos, Optional<Path> against) {
    public RingBench {
        plans = List.copyOf(plans);
    }

    /**
     * Measures.
     *
     * @param progress is told what comes next
     * @throws IOException if a program to compare with is missing or fails
     */
    public List<RingResult> run(Consumer<String> progress) throws IOException {
        Map<RingLayout, List<Opponent>> opponents = new EnumMap<>(RingLayout.class);
        for (ExchangePlan plan : plans) {
            if (against.isPresent()) {
                opponents.put(plan.layout(), Opponent.of(plan.layout(), against.get()));
            }
        }
        RingTurn.Place place = plans.size() * turns == 1 ? RingTurn::here : RingFork::measure;
        List<RingResult> results = new ArrayList<>();
        for (ExchangePlan plan : plans) {
            results.add(measure(plan, place, opponents.getOrDefault(plan.layout(), List.of()), progress));
        }
        return results;
    }

    private RingResult measure(
            ExchangePlan plan, RingTurn.Place place, List<Opponent> opponents, Consumer<String> progress)
            throws IOException {
        List<RingTurn> own = new ArrayList<>();
        List<List<Double>> theirs = new ArrayList<>();
        opponents.forEach(opponent -> theirs.add(new ArrayList<>()));
        for (int turn = 0; turn < turns; turn++) {
            progress.accept(String.format(
                    "%s, suppression %s, batch %d: turn %d of %d",
                    plan.layout().label(), plan.suppression() ? "on" : "off", plan.batch(), turn + 1, turns));
            own.add(place.measure(plan, nanos));
            for (int i = 0; i < opponents.size(); i++) {
                theirs.get(i).add(opponents.get(i).measure(plan, nanos));
            }
        }
        return result(plan, own, opponents, theirs);
    }

    private RingResult result(
            ExchangePlan plan, List<RingTurn> own, List<Opponent> opponents, List<List<Double>> theirs) {
        List<Double> rates = own.stream().map(RingTurn::rate).toList();
        List<RingResult.Comparison> comparisons = new ArrayList<>();
        for (int i = 0; i < opponents.size(); i++) {
            List<Double> ratios = new ArrayList<>();
            for (int turn = 0; turn < turns; turn++) {
                ratios.add(rates.get(turn) / theirs.get(i).get(turn));
            }
            comparisons.add(
                    new RingResult.Comparison(opponents.get(i).name(), Spread.of(theirs.get(i)), Spread.of(ratios)));
        }
        return new RingResult(
                plan,
                Spread.of(rates),
                own.stream().mapToDouble(RingTurn::kicks).sum() / turns,
                own.stream().mapToDouble(RingTurn::interrupts).sum() / turns,
                comparisons);
    }
}

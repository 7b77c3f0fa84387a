package io.iolab.devices.ringorder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.iolab.devices.ringorder.Explorer.Outcome;
import io.iolab.devices.ringorder.RingPrograms.Flaw;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** virtio 1.2 sections 2.7.10, 2.7.13.4.1, 2.7.14 and 2.8.21: in no order of accesses is a wake-up lost. */
class RingScheduleTest {
    private static final int DRAWN = 500;

    /** Each form of ring, with flags and with event indices. */
    enum Ring {
        SPLIT_FLAGS(0),
        SPLIT_EVENT_INDEX(RingFeatures.EVENT_IDX),
        SPLIT_IN_ORDER(RingFeatures.IN_ORDER | RingFeatures.EVENT_IDX),
        PACKED_FLAGS(RingFeatures.RING_PACKED),
        PACKED_EVENT_INDEX(RingFeatures.RING_PACKED | RingFeatures.EVENT_IDX),
        PACKED_IN_ORDER(RingFeatures.RING_PACKED | RingFeatures.IN_ORDER | RingFeatures.EVENT_IDX);

        private final long features;

        Ring(long features) {
            this.features = features;
        }

        RingPrograms programs(int size, int[] batches, boolean between, int delay, boolean singly, Flaw flaw) {
            return new RingPrograms(size, features, batches, between, delay, singly, flaw);
        }

        RingPrograms flawed(Flaw flaw) {
            return programs(2, new int[] {1, 1}, true, 0, false, flaw);
        }
    }

    static List<Arguments> ringsAndModels() {
        List<Arguments> cases = new ArrayList<>();
        for (Ring ring : Ring.values()) {
            for (Model model : Model.values()) {
                cases.add(Arguments.of(ring, model));
            }
        }
        return cases;
    }

    private static void explore(RingPrograms programs, Model model, TestReporter reporter) {
        Outcome outcome = programs.explorer(model).all();
        assertThat(outcome.failure()).as("%s", programs).isNull();
        assertThat(outcome.schedules()).as("%s", programs).isGreaterThan(1e6);
        reporter.publishEntry(
                model + " " + Arrays.toString(programs.batches()) + " " + programs,
                outcome.states() + " states, " + outcome.schedules() + " schedules");
    }

    @ParameterizedTest
    @MethodSource("ringsAndModels")
    void shouldLoseNoKickAndNoInterruptInAnyOrderOfTwoPublishings(Ring ring, Model model, TestReporter reporter) {
        explore(ring.programs(2, new int[] {1, 1}, false, 0, true, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {1, 1}, true, 0, false, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {2, 1}, false, 1, false, Flaw.NONE), model, reporter);
    }

    @ParameterizedTest
    @MethodSource("ringsAndModels")
    void shouldLoseNoKickAndNoInterruptInAnyOrderOfThreePublishings(Ring ring, Model model, TestReporter reporter) {
        explore(ring.programs(2, new int[] {1, 1, 1}, false, 1, false, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {1, 1, 1}, true, 0, false, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {2, 1}, true, 1, true, Flaw.NONE), model, reporter);
        explore(ring.programs(4, new int[] {2, 2}, false, 1, false, Flaw.NONE), model, reporter);
    }

    /** Two and a half times around the smallest ring. */
    @Tag("nightly")
    @ParameterizedTest
    @MethodSource("ringsAndModels")
    void shouldLoseNoKickAndNoInterruptInAnyOrderOfFivePublishings(Ring ring, Model model, TestReporter reporter) {
        explore(ring.programs(2, new int[] {1, 1, 1, 1, 1}, false, 1, false, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {1, 1, 1, 1, 1}, true, 0, false, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {2, 1, 1, 2, 1}, false, 1, false, Flaw.NONE), model, reporter);
        explore(ring.programs(2, new int[] {2, 1, 2, 1, 1}, true, 1, true, Flaw.NONE), model, reporter);
        explore(ring.programs(4, new int[] {3, 2, 1, 3}, false, 1, false, Flaw.NONE), model, reporter);
    }

    /** The control for landmarks: with every history explored for itself, there are as many schedules, in more states. */
    @ParameterizedTest
    @MethodSource("ringsAndModels")
    void shouldCountTheSameSchedulesWithAndWithoutMerging(Ring ring, Model model) {
        RingPrograms programs = ring.programs(2, new int[] {1, 1}, false, 1, true, Flaw.NONE);
        Outcome merged = programs.explorer(model).all();
        Outcome apart = programs.explorer(model, false).all();
        assertThat(merged.failure()).isNull();
        assertThat(apart.failure()).isNull();
        assertThat(merged.schedules()).isCloseTo(apart.schedules(), withPercentage(1e-9));
        assertThat(merged.states()).isLessThan(apart.states() / 2);
    }

    /** Deeper than can be exhausted: many publishings, several times around the ring. */
    @Tag("nightly")
    @ParameterizedTest
    @MethodSource("ringsAndModels")
    void shouldLoseNothingInDrawnOrdersOfManyPublishings(Ring ring, Model model) {
        for (long seed = 0; seed < DRAWN; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int size = 2 << random.nextInt(2);
            int[] batches = random.ints(12, 1, size + 1).toArray();
            RingPrograms programs = ring.programs(
                    size, batches, random.nextBoolean(), random.nextInt(3), random.nextBoolean(), Flaw.NONE);
            Outcome outcome = programs.explorer(model, false).drawn(random);
            assertThat(outcome.failure()).as("seed %d, %s", seed, programs).isNull();
        }
    }

    /** The control: were any of the four fences missing, a store kept back by x86 would show it, and nothing less would. */
    @ParameterizedTest
    @EnumSource(
            value = Flaw.class,
            names = {
                "NO_FENCE_BEFORE_KICK",
                "NO_FENCE_AFTER_ASKING_FOR_KICKS",
                "NO_FENCE_BEFORE_INTERRUPT",
                "NO_FENCE_AFTER_ASKING_FOR_INTERRUPTS"
            })
    void shouldFindEachMissingFence(Flaw flaw) {
        for (Ring ring : Ring.values()) {
            Outcome found = ring.flawed(flaw).explorer(Model.TOTAL_STORE_ORDER).all();
            assertThat(found.failure()).as("%s", ring).contains("at rest with");
            assertThat(ring.flawed(flaw).explorer(Model.SEQUENTIAL).all().failure())
                    .as("%s", ring)
                    .isNull();
        }
    }

    /** The control for the second look: an interleaving is enough. */
    @ParameterizedTest
    @EnumSource(
            value = Flaw.class,
            names = {"NO_SECOND_LOOK_BY_DEVICE", "NO_SECOND_LOOK_BY_DRIVER"})
    void shouldFindEachMissingSecondLook(Flaw flaw) {
        for (Ring ring : Ring.values()) {
            Outcome found = ring.flawed(flaw).explorer(Model.SEQUENTIAL).all();
            assertThat(found.failure()).as("%s", ring).contains("at rest with");
        }
    }
}

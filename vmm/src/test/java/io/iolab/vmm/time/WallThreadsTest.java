package io.iolab.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** DESIGN, "Time": in wall time the same actors run on real threads, one a group. */
@Timeout(60)
class WallThreadsTest {
    private static final long MILLISECOND = 1_000_000_000L;
    /** Far longer than any machine needs. */
    private static final long LIMIT = 30_000 * MILLISECOND;

    private static void untilTrue(WallThreads run, java.util.function.BooleanSupplier condition) {
        while (!condition.getAsBoolean() && run.nowPicos() < LIMIT) {
            run.until(run.nowPicos() + MILLISECOND);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    @Test
    void shouldStepTheActorsOfAGroupOnOneThreadAndGroupsOnDifferentOnes() {
        AtomicReference<Thread> a1 = new AtomicReference<>();
        AtomicReference<Thread> a2 = new AtomicReference<>();
        AtomicReference<Thread> b = new AtomicReference<>();
        try (WallThreads run = new WallThreads(false)) {
            run.add("a", new ScriptedActor("a1", self -> a1.set(Thread.currentThread())));
            run.add("a", new ScriptedActor("a2", self -> a2.set(Thread.currentThread())));
            run.add("b", new ScriptedActor("b", self -> b.set(Thread.currentThread())));

            untilTrue(run, () -> a1.get() != null && a2.get() != null && b.get() != null);
        }

        assertThat(a1.get()).isSameAs(a2.get()).isNotSameAs(b.get());
        assertThat(a1.get()).isNotSameAs(Thread.currentThread());
        assertThat(a1.get().isAlive()).isFalse();
        assertThat(b.get().isAlive()).isFalse();
    }

    @Test
    void shouldReportTheFailureOfAnActorWithItsCauseAndEndEveryThread() {
        AtomicReference<Thread> other = new AtomicReference<>();
        IllegalArgumentException bug = new IllegalArgumentException("a bug of ours");
        try (WallThreads run = new WallThreads(false)) {
            run.add("good", new ScriptedActor("good", self -> other.set(Thread.currentThread())));
            run.add("bad", new ScriptedActor("bad", self -> {
                if (other.get() != null) {
                    throw bug;
                }
            }));

            assertThatThrownBy(() -> run.until(LIMIT))
                    .isInstanceOf(IllegalStateException.class)
                    .hasCause(bug);
            assertThat(other.get().isAlive()).isFalse();
            assertThatThrownBy(() -> run.until(LIMIT)).hasCause(bug);
        }
    }

    @Test
    void shouldRefuseActorsOnceItRuns() {
        try (WallThreads run = new WallThreads(false)) {
            run.add("a", ScriptedActor.sleeper("a"));
            run.until(run.nowPicos() + MILLISECOND);

            assertThatThrownBy(() -> run.add("b", ScriptedActor.sleeper("b")))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void shouldEndItsThreadsOnCloseEvenWhenTheCallerIsInterrupted() {
        AtomicReference<Thread> worker = new AtomicReference<>();
        WallThreads run = new WallThreads(false);
        run.add("a", new ScriptedActor("a", self -> worker.set(Thread.currentThread())));
        untilTrue(run, () -> worker.get() != null);

        Thread.currentThread().interrupt();
        run.close();
        boolean stillInterrupted = Thread.interrupted();

        assertThat(worker.get().isAlive()).isFalse();
        assertThat(stillInterrupted).isTrue();
    }

    @Test
    void shouldReturnEarlyAndKeepTheFlagWhenInterrupted() {
        boolean stillInterrupted;
        try (WallThreads run = new WallThreads(false)) {
            run.add("a", ScriptedActor.sleeper("a"));
            Thread.currentThread().interrupt();

            run.until(LIMIT);
            stillInterrupted = Thread.interrupted();

            assertThat(run.nowPicos()).isLessThan(LIMIT);
        }
        assertThat(stillInterrupted).isTrue();
    }

    @Test
    void shouldSpendCostsAsBusyTimeOnlyWhenAsked() {
        long cost = 2 * MILLISECOND;
        assertThat(shortestStep(true, cost)).isGreaterThanOrEqualTo(cost);
        assertThat(shortestStep(false, cost)).isLessThan(cost);
    }

    private static long shortestStep(boolean spendCosts, long cost) {
        AtomicLong shortest = new AtomicLong(Long.MAX_VALUE);
        AtomicInteger steps = new AtomicInteger();
        try (WallThreads run = new WallThreads(spendCosts)) {
            run.add("a", new ScriptedActor("a", self -> {
                long began = self.nowPicos();
                self.spend(cost);
                shortest.accumulateAndGet(self.nowPicos() - began, Math::min);
                steps.incrementAndGet();
            }));
            untilTrue(run, () -> steps.get() > 5);
        }
        return shortest.get();
    }

    @Test
    void shouldReachTheTimeItWasAskedFor() {
        try (WallThreads run = new WallThreads(false)) {
            run.add("a", ScriptedActor.sleeper("a"));

            run.until(3 * MILLISECOND);

            assertThat(run.nowPicos()).isGreaterThanOrEqualTo(3 * MILLISECOND);
        }
    }
}

package io.iolab.vmm.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** DESIGN, "Time": actors run in order of their local time, ties by a fixed order. */
class TimelineTest {
    private final Timeline timeline = new Timeline();
    private final List<String> order = new ArrayList<>();

    private ScriptedActor worker(String name, long picosPerStep) {
        ScriptedActor actor = new ScriptedActor(name, self -> {
            order.add(name + "@" + self.nowPicos());
            self.spend(picosPerStep);
        });
        timeline.add(name, actor);
        return actor;
    }

    @Test
    void shouldStepTheActorWhoseLocalTimeIsLeast() {
        worker("slow", 30);
        worker("quick", 20);

        timeline.until(61);

        assertThat(order)
                .containsExactly("slow@0", "quick@0", "quick@20", "slow@30", "quick@40", "slow@60", "quick@60");
        assertThat(timeline.steps()).isEqualTo(7);
    }

    @Test
    void shouldBreakTiesByJoiningOrder() {
        worker("c", 10);
        worker("a", 10);
        worker("b", 10);

        timeline.until(20);

        assertThat(order).containsExactly("c@0", "a@0", "b@0", "c@10", "a@10", "b@10");
    }

    @Test
    void shouldNotStepAnActorThatIsDueAtTheBound() {
        worker("a", 10);

        timeline.until(10);
        assertThat(order).containsExactly("a@0");
        assertThat(timeline.nowPicos()).isEqualTo(10);

        timeline.until(11);
        assertThat(order).containsExactly("a@0", "a@10");
        assertThat(timeline.nowPicos()).isEqualTo(11);
    }

    @Test
    void shouldNotGoBackWhenAskedForATimeThatHasPassed() {
        worker("a", 10);
        timeline.until(100);

        timeline.until(50);

        assertThat(timeline.nowPicos()).isEqualTo(100);
        assertThat(order).hasSize(10);
    }

    @Test
    @DisplayName("an actor that overshoots the bound keeps its local time and goes on from there")
    void shouldKeepAnOvershoot() {
        ScriptedActor actor = worker("a", 1_000);

        timeline.until(1);
        assertThat(timeline.nowPicos()).isEqualTo(1);
        assertThat(actor.nowPicos()).isEqualTo(1_000);

        timeline.until(1_000);
        assertThat(actor.steppedAt).containsExactly(0L);

        timeline.until(1_001);
        assertThat(actor.steppedAt).containsExactly(0L, 1_000L);
    }

    @Test
    void shouldStepASleeperAtTheTimeItChose() {
        ScriptedActor actor = new ScriptedActor("a", self -> self.sleep(self.nowPicos() + 25));
        timeline.add("a", actor);

        timeline.until(60);

        assertThat(actor.steppedAt).containsExactly(0L, 25L, 50L);
        assertThat(actor.nowPicos()).isEqualTo(50);
    }

    @Test
    void shouldStepAtOnceWhenToldToSleepUntilThePast() {
        ScriptedActor actor = new ScriptedActor("a", self -> {
            self.spend(10);
            self.sleep(3);
        });
        timeline.add("a", actor);

        timeline.until(21);

        assertThat(actor.steppedAt).containsExactly(0L, 10L, 20L);
    }

    @Test
    void shouldLeaveAnIdleActorAloneUntilItIsWoken() {
        ScriptedActor actor = ScriptedActor.sleeper("a");
        timeline.add("a", actor);
        timeline.until(1_000);
        assertThat(actor.steppedAt).containsExactly(0L);
        assertThat(actor.isIdle()).isTrue();

        actor.wake(1_500);
        timeline.until(1_500);
        assertThat(actor.steppedAt).containsExactly(0L);
        timeline.until(1_501);

        assertThat(actor.steppedAt).containsExactly(0L, 1_500L);
    }

    @Test
    void shouldWakeEarlierButNeverLaterThanPlanned() {
        ScriptedActor actor = new ScriptedActor("a", self -> self.sleep(self.nowPicos() + 1_000));
        timeline.add("a", actor);
        timeline.until(1);

        actor.wake(2_000);
        actor.wake(400);
        actor.wake(700);
        timeline.until(1_000);

        assertThat(actor.steppedAt).containsExactly(0L, 400L);
    }

    @Test
    @DisplayName("who is woken for a time that is past in its own time steps at its own time")
    void shouldNotTurnAnActorsTimeBack() {
        ScriptedActor actor = new ScriptedActor("a", self -> {
            self.spend(500);
            self.rest();
        });
        timeline.add("a", actor);
        timeline.until(1);

        actor.wake(100);
        timeline.until(501);

        assertThat(actor.steppedAt).containsExactly(0L, 500L);
    }

    @Test
    void shouldLetOneActorWakeAnotherInItsOwnTime() {
        ScriptedActor woken = ScriptedActor.sleeper("woken");
        ScriptedActor waker = new ScriptedActor("waker", self -> {
            self.spend(70);
            woken.wake(self.nowPicos());
            self.rest();
        });
        timeline.add("woken", woken);
        timeline.add("waker", waker);

        timeline.until(100);

        assertThat(woken.steppedAt).containsExactly(0L, 70L);
    }

    @Test
    @DisplayName(
            "a wake-up that an actor's own work sets off is not overruled by the rest that follows in the same step")
    void shouldKeepAWakeUpFromWithinTheStep() {
        ScriptedActor actor = new ScriptedActor("a", self -> {
            if (self.nowPicos() == 0) {
                self.wake(300);
                self.wake(400);
                self.spend(50);
            }
            self.rest();
        });
        timeline.add("a", actor);

        timeline.until(1_000);

        assertThat(actor.steppedAt).containsExactly(0L, 300L);
        assertThat(actor.isIdle()).isTrue();
    }

    @Test
    void shouldComeToAnEndWhenEverybodyIsIdle() {
        timeline.add("a", ScriptedActor.sleeper("a"));

        timeline.until(Long.MAX_VALUE - 1);

        assertThat(timeline.nowPicos()).isEqualTo(Long.MAX_VALUE - 1);
        assertThat(timeline.steps()).isEqualTo(1);
    }
}

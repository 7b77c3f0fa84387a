package io.iolab.scenarios.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A verdict is what came out, not what was hoped for: it changes with the host, and is then said not to be the expected one. */
class VerdictTest {
    static Stream<Arguments> broken() {
        return FlawedAttack.broken().stream().map(attack -> Arguments.of(attack.name(), attack));
    }

    static List<String> names() {
        return AttackCatalog.names();
    }

    private static void unexpected(AttackOutcome outcome) {
        String details = AttackText.details(List.of(outcome));
        assertThat(outcome.asExpected()).as(details).isFalse();
        assertThat(details).contains("NOT AS EXPECTED: " + outcome.attack().expected(outcome.defence()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("broken")
    @DisplayName("with the one mechanism broken that its defence is made of, an attack gets through")
    void shouldNoticeADefenceThatDoesNotWork(String name, Attack attack) {
        AttackOutcome outcome = AttackRunner.run(attack, Defence.ON);

        assertThat(outcome.defence()).isEqualTo(Defence.ON);
        assertThat(outcome.verdict().kind())
                .isEqualTo(attack.expected(Defence.OFF).kind());
        assertThat(outcome.verdict().amount()).isPositive();
        unexpected(outcome);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("names")
    @DisplayName("an attack that is told to run against a defence, on a host without it")
    void shouldNoticeADefenceThatWasLeftOut(String name) {
        AttackOutcome outcome = AttackRunner.run(FlawedAttack.inverted(name), Defence.ON);

        assertThat(outcome.verdict())
                .isEqualTo(AttackCatalog.named(name).orElseThrow().expected(Defence.OFF));
        unexpected(outcome);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("names")
    @DisplayName("an attack that should succeed, on a host that is defended")
    void shouldNoticeADefenceThatShouldNotBeThere(String name) {
        AttackOutcome outcome = AttackRunner.run(FlawedAttack.inverted(name), Defence.OFF);

        assertThat(outcome.verdict()).isEqualTo(Verdict.blocked());
        unexpected(outcome);
    }

    @Test
    @DisplayName(
            "every attack of the catalogue has a broken defence, once: without one, nobody has ever seen its verdict fail")
    void shouldBreakTheDefenceOfEveryAttack() {
        assertThat(FlawedAttack.broken())
                .extracting(Attack::name)
                .containsExactlyInAnyOrderElementsOf(AttackCatalog.names());
    }
}

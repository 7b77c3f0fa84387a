package io.iolab.scenarios.attack;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.iommu.explain.TableWalk;
import io.iolab.scenarios.iommu.ExplainedFault;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every attack achieves something undefended, and nothing against its defence. */
class AttackTest {
    static Stream<Arguments> runs() {
        return AttackCatalog.attacks().stream()
                .flatMap(attack ->
                        Stream.of(Defence.values()).map(defence -> Arguments.of(attack.name(), defence, attack)));
    }

    @ParameterizedTest(name = "{0}, defence {1}")
    @MethodSource("runs")
    void shouldEndAsExpected(String name, Defence defence, Attack attack) {
        AttackOutcome outcome = AttackRunner.run(attack, defence);

        assertThat(outcome.verdict()).as(AttackText.details(List.of(outcome))).isEqualTo(attack.expected(defence));
        assertThat(outcome.asExpected()).isTrue();
        assertThat(outcome.notes()).as("says what it did").isNotEmpty();
        assertThat(outcome.otherFaults()).isZero();
    }

    @ParameterizedTest(name = "{0}, defence {1}")
    @MethodSource("runs")
    @DisplayName("the walk told for a fault record fails for the reason that the unit recorded")
    void shouldExplainEveryFaultByItsWalk(String name, Defence defence, Attack attack) {
        for (ExplainedFault fault : AttackRunner.run(attack, defence).faults()) {
            assertThat(fault.report().reason()).isNotNull();
            assertThat(fault.walk().map(TableWalk::reason))
                    .contains(fault.report().reason());
        }
    }

    @ParameterizedTest(name = "{0}, defence {1}")
    @MethodSource("runs")
    void shouldEndTheSameEachTime(String name, Defence defence, Attack attack) {
        List<AttackOutcome> first = List.of(AttackRunner.run(attack, defence));
        List<AttackOutcome> second = List.of(AttackRunner.run(attack, defence));

        assertThat(AttackJson.outcomes(second)).isEqualTo(AttackJson.outcomes(first));
    }

    @Test
    void shouldPromiseHarmUndefendedAndNoneDefended() {
        assertThat(new HashSet<>(AttackCatalog.names())).hasSameSizeAs(AttackCatalog.names());
        for (Attack attack : AttackCatalog.attacks()) {
            assertThat(attack.expected(Defence.ON)).as(attack.name()).isEqualTo(Verdict.blocked());
            assertThat(attack.expected(Defence.OFF).amount()).as(attack.name()).isPositive();
            assertThat(attack.what().split("[.] "))
                    .as("two sentences: " + attack.what())
                    .hasSize(2);
        }
    }
}

package io.iolab.devices.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The judge itself: an innocent device passes, one that another cause keeps from working is found. */
class VerdictTest {
    @ParameterizedTest
    @EnumSource
    void shouldPassADeviceThatNobodyAttacked(Target target) {
        try (HostileMachine machine = new HostileMachine(target)) {
            Attack attack = Attack.on(machine);
            attack.start();
            assertThat(attack.verdict()).as(attack.reason()).isEqualTo(Verdict.PASS);
            attack.start();
            assertThat(attack.verdict()).as(attack.reason()).isEqualTo(Verdict.PASS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldCallADeviceWedgedThatAResetDoesNotBringBack(Target target) {
        try (HostileMachine machine = new HostileMachine(target)) {
            Attack attack = Attack.on(machine);
            attack.start();
            machine.stun();
            assertThat(attack.verdict()).isEqualTo(Verdict.WEDGED);
            assertThat(attack.reason()).startsWith("after a reset");
        }
    }
}

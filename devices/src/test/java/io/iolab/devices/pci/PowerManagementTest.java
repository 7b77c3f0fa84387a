package io.iolab.devices.pci;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** PCI Bus Power Management 1.2 chapter 3. */
class PowerManagementTest {
    private static final int AT = 0x40;
    private int resets;
    private final ConfigSpace config = new ConfigSpace(0x8086, 0x10D3, 0, 0x020000);
    private final PowerManagement power = new PowerManagement(config, AT, 0x0022, this::softReset);

    private void softReset() {
        resets++;
        config.reset();
    }

    @Test
    @DisplayName("D0 to D3hot and back resets, once")
    void shouldResetOnWake() {
        config.seal();
        config.write(AT + 4, 2, 3);
        assertThat(power.inD0()).isFalse();
        assertThat(resets).isZero();
        config.write(AT + 4, 2, 3);
        config.write(AT + 4, 2, 0);
        assertThat(power.inD0()).isTrue();
        assertThat(resets).isEqualTo(1);
        config.write(AT + 4, 2, 0);
        assertThat(resets).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @DisplayName("States that the function lacks are ignored")
    void shouldIgnoreMissingStates(int state) {
        config.seal();
        config.write(AT + 4, 2, state);
        assertThat(config.read(AT + 4, 2) & 3).isZero();
        assertThat(power.inD0()).isTrue();
        config.write(AT + 4, 2, 3);
        config.write(AT + 4, 2, state);
        assertThat(config.read(AT + 4, 2) & 3).isEqualTo(3);
        assertThat(power.inD0()).isFalse();
    }

    @Test
    @DisplayName("A bus reset brings it back to D0 without a soft reset")
    void shouldBeAwakeAfterReset() {
        config.seal();
        config.write(AT + 4, 2, 3);
        config.reset();
        assertThat(power.inD0()).isTrue();
        assertThat(resets).isZero();
    }
}

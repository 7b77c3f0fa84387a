package io.iolab.devices.pci;

import static io.iolab.devices.pci.ConfigSpace.COMMAND;
import static io.iolab.devices.pci.ConfigSpace.STATUS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** PCI Local Bus 3.0 sections 6.2.2 (command bit 10), 6.2.3 (status bit 3) and 6.8 (messages replace the pin). */
class IntxLineTest {
    private final ConfigSpace config = new ConfigSpace(0x8086, 0x100E, 3, 0x020000).interruptPin(1);
    private final List<Boolean> pin = new ArrayList<>();
    private boolean messages;
    private final IntxLine line = new IntxLine(config, pin::add, () -> messages);

    IntxLineTest() {
        config.seal();
    }

    private boolean asserted() {
        return !pin.isEmpty() && pin.getLast();
    }

    private boolean statusShowsRequest() {
        return (config.read(STATUS, 2) & ConfigSpace.STATUS_INTERRUPT) != 0;
    }

    private void apply(int state) {
        line.request((state & 1) != 0);
        config.write(COMMAND, 2, (state & 2) != 0 ? ConfigSpace.COMMAND_INTX_DISABLE : 0);
        messages = (state & 4) != 0;
        line.evaluate();
    }

    /** Every transition between the eight combinations of request, disable bit and messages. */
    @Test
    void shouldAssertOnlyWhenRequestedNotDisabledAndNotReplaced() {
        for (int from = 0; from < 8; from++) {
            for (int to = 0; to < 8; to++) {
                apply(from);
                apply(to);
                assertThat(asserted()).as("%d to %d", from, to).isEqualTo(to == 1);
                assertThat(statusShowsRequest())
                        .as("%d to %d: status bit 3", from, to)
                        .isEqualTo((to & 1) != 0);
            }
        }
    }

    @Test
    void shouldToggleThePinOnlyWhenItsLevelChanges() {
        line.request(true);
        line.request(true);
        line.evaluate();
        config.write(COMMAND, 2, 7);
        assertThat(pin).containsExactly(true);
        line.request(false);
        line.request(false);
        assertThat(pin).containsExactly(true, false);
    }

    @Test
    void shouldFollowTheDisableBitAtOnce() {
        line.request(true);
        config.write(COMMAND + 1, 1, 4);
        assertThat(pin).containsExactly(true, false);
        config.write(COMMAND, 2, 0);
        assertThat(pin).containsExactly(true, false, true);
    }

    @Test
    void shouldNotDependOnBusMastering() {
        config.write(COMMAND, 2, 0);
        line.request(true);
        assertThat(asserted()).isTrue();
    }

    @Test
    void shouldKeepTheStatusBitFromSoftware() {
        line.request(true);
        config.write(STATUS, 2, 0xFFFF);
        assertThat(statusShowsRequest()).isTrue();
        assertThat(asserted()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldDeassertOnReset(boolean requestedAgain) {
        line.request(true);
        config.reset();
        assertThat(pin).containsExactly(true, false);
        assertThat(statusShowsRequest()).isFalse();
        line.request(requestedAgain);
        assertThat(asserted()).isEqualTo(requestedAgain);
    }
}

package io.iolab.devices.e1000;

import static io.iolab.devices.e1000.Bench.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** 82574 datasheet 7.4: changes of interrupt mode, resets, and what exactly is cleared and counted. */
class I82574ModeTest {
    private static final int LSC = 4;
    private static final int RXQ0 = 1 << 20;
    private static final int TXQ0 = 1 << 22;
    private static final int OTHER = 1 << 24;
    private static final int ASSERTED = 1 << 31;
    private static final int PBA_CLR = 1 << 31;
    /** rxq0 to 0, rxq1 to 3, txq0 to 1, txq1 to 4, other to 2. */
    private static final int ROUTES = 0x000A_C9B8;

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.i82574l();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    /** Vectors that arrived since the last call; vector v carries data 40h + v. */
    private List<Integer> vectors() {
        List<Integer> seen = bench.messages.stream().map(m -> m.data() - 0x40).toList();
        bench.messages.clear();
        return seen;
    }

    private void enableMsix() {
        for (int v = 0; v < 5; v++) {
            bench.device.writeBar(3, 16 * v, 4, 0xFEE0_0000L);
            bench.device.writeBar(3, 16 * v + 8, 4, 0x40 + v);
            bench.device.writeBar(3, 16 * v + 12, 4, 0);
        }
        bench.device.config().write(0xA2, 2, 0x8000);
        bench.write(IVAR, ROUTES);
    }

    private long pending() {
        return bench.device.readBar(3, 0x2000, 8);
    }

    @Test
    @DisplayName("A change of mode takes the signal along: pin to messages, and back with a cause pending")
    void shouldSwitchModes() {
        bench.write(IMS, LSC);
        bench.write(ICS, LSC);
        assertThat(bench.pin).isTrue();
        bench.device.config().write(0xD2, 2, 1);
        assertThat(bench.pin).as("MSI").isFalse();
        bench.device.config().write(0xD2, 2, 0);
        assertThat(bench.pin).as("back").isTrue();
        enableMsix();
        assertThat(bench.pin).as("MSI-X").isFalse();
        bench.device.config().write(0xA2, 2, 0);
        assertThat(bench.pin).isTrue();
        assertThat(bench.pinRises).isEqualTo(3);
    }

    @Test
    @DisplayName("What EITR holds back is forgotten by a reset and by a change of mode")
    void shouldForgetPostponed() {
        for (boolean reset : new boolean[] {true, false}) {
            enableMsix();
            bench.write(EITR, 100);
            bench.write(EIAC, RXQ0);
            bench.write(IMS, RXQ0);
            bench.write(ICS, RXQ0);
            bench.write(ICS, RXQ0);
            assertThat(vectors()).containsExactly(0);
            if (reset) {
                bench.write(CTRL, 1 << 26);
            } else {
                bench.device.config().write(0xA2, 2, 0);
            }
            assertThat(bench.device.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
            bench.device.config().write(0xA2, 2, 0);
            bench.write(IMC, -1);
            bench.read(ICR);
            bench.now += 1_000_000;
        }
    }

    @Test
    @DisplayName("After a reset the first message of a vector is not held back by one before it")
    void shouldNotModerateAcrossReset() {
        for (int round = 0; round < 2; round++) {
            enableMsix();
            bench.write(EITR, 100);
            bench.write(IMS, RXQ0);
            bench.write(ICS, RXQ0);
            assertThat(vectors()).containsExactly(0);
            bench.write(CTRL, 1 << 26);
        }
    }

    @Test
    @DisplayName(
            "Clearing a queue cause leaves the others' causes; IMS of one bit withdraws its vector's pending bit only")
    void shouldTouchNamedCausesOnly() {
        enableMsix();
        bench.write(CTRL_EXT, PBA_CLR);
        bench.write(IMS, 0x1F0_0000);
        bench.write(ICS, RXQ0 | LSC);
        bench.write(ICR, RXQ0);
        assertThat(bench.read(ICS)).isEqualTo(ASSERTED | OTHER | LSC);
        bench.write(ICR, -1);
        vectors();
        bench.device.writeBar(3, 12, 4, 1);
        bench.device.writeBar(3, 16 + 12, 4, 1);
        bench.write(ICS, RXQ0 | TXQ0);
        assertThat(pending()).isEqualTo(3);
        bench.write(IMS, LSC);
        assertThat(pending()).as("no routed cause").isEqualTo(3);
        bench.write(IMS, TXQ0);
        assertThat(pending()).isEqualTo(1);
        bench.write(0x5B68, 2);
        assertThat(pending()).as("another vector").isEqualTo(1);
    }

    @Test
    @DisplayName("Counters: causes that were clear before, messages, moderation, exactly")
    void shouldCountExactly() {
        E1000Counters counters = bench.device.counters();
        long before = counters.causesRaised();
        enableMsix();
        bench.write(IMS, 0x1F0_0000);
        bench.write(ICS, RXQ0 | TXQ0);
        bench.write(ICS, RXQ0);
        assertThat(counters.causesRaised() - before).isEqualTo(2);
        assertThat(counters.messages()).isEqualTo(2);
        bench.write(ICS, LSC);
        assertThat(counters.causesRaised() - before).as("LSC and OTHER").isEqualTo(4);
        assertThat(counters.messages()).isEqualTo(3);
        bench.device.config().write(0xA2, 2, 0);
        bench.write(ICR, -1);
        bench.device.config().write(0xD2, 2, 1);
        bench.write(IMS, LSC);
        bench.write(ICS, LSC);
        assertThat(counters.messages()).isEqualTo(4);
        assertThat(counters.moderated()).isZero();
    }
}

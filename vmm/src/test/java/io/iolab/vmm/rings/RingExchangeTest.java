package io.iolab.vmm.rings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** virtio 1.2 sections 2.7 and 2.8, between two threads. A lost wake-up ends in the time limit. */
class RingExchangeTest {
    private static final long BUFFERS = 20_000;

    static List<ExchangePlan> plans() {
        List<ExchangePlan> plans = new ArrayList<>();
        for (RingLayout layout : RingLayout.values()) {
            for (boolean suppression : new boolean[] {false, true}) {
                plans.add(new ExchangePlan(layout, 256, 64, suppression));
                plans.add(new ExchangePlan(layout, 4, 1, suppression));
                plans.add(new ExchangePlan(layout, 8, 8, suppression));
            }
        }
        return plans;
    }

    @ParameterizedTest
    @MethodSource("plans")
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldPassAllBuffers(ExchangePlan plan) {
        try (RingExchange exchange = new RingExchange(plan)) {
            exchange.pass(BUFFERS / plan.size());
            ExchangeFigures figures = exchange.passFor(1_000_000);
            assertThat(figures.buffers()).isPositive();
            assertThat(figures.nanos()).isGreaterThanOrEqualTo(1_000_000);
            if (!plan.suppression()) {
                assertThat(figures.kicks()).isZero();
                assertThat(figures.interrupts()).isZero();
            }
        }
    }

    @Test
    void shouldRefuseAPlanThatNoRingHas() {
        assertThatThrownBy(() -> new ExchangePlan(RingLayout.SPLIT, 100, 1, true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ExchangePlan(RingLayout.SPLIT, 64, 65, true))
                .isInstanceOf(IllegalArgumentException.class);
    }
}

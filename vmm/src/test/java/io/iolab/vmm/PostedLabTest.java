package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which exits an assigned NIC's interrupts cost, by delivery (x2APIC without APICv; APICv with VT-d posting). */
@DisplayName("Interrupts of an assigned NIC")
class PostedLabTest {
    private static final long PICOS = 10_000_000_000L;

    private static Lab lab(ClockMode clock, InterruptDelivery... deliveries) throws ConfigException, IOException {
        Workload load = new Workload.PingPong(60, 0, 0);
        List<GuestConfig> guests = java.util.Arrays.stream(deliveries)
                .map(delivery -> new GuestConfig(
                        delivery.name(),
                        Path.PASSTHROUGH,
                        16L << 20,
                        LinkConfig.GIGABIT,
                        NicTuning.DEFAULTS.withInterrupts(delivery),
                        load,
                        true))
                .toList();
        return Lab.create(
                new LabConfig(CostProfile.bundled(CostProfile.DEFAULT), clock, false, 3, Optional.empty(), guests));
    }

    private static long exits(GuestLedger ledger, ExitReason reason, String detail) {
        return ledger.exits().counters().stream()
                .filter(counter ->
                        counter.reason() == reason && counter.detail().equals(detail))
                .mapToLong(ExitCounter::count)
                .sum();
    }

    @Test
    void shouldExitForEachRemappedInterruptAndForNoPostedOne() throws ConfigException, IOException {
        try (Lab lab = lab(ClockMode.VIRTUAL, InterruptDelivery.REMAPPED, InterruptDelivery.POSTED)) {
            lab.warmUp(1_000_000_000L);
            lab.measure(PICOS, passed -> {});
            GuestLedger remapped = lab.ledgers().get(0);
            GuestLedger posted = lab.ledgers().get(1);
            assertThat(remapped.interrupts(InterruptOutcome.REMAPPED)).isGreaterThan(50);
            assertThat(exits(remapped, ExitReason.MSR_WRITE, "EOI"))
                    .isEqualTo(remapped.interrupts(InterruptOutcome.INJECTED));
            assertThat(posted.interrupts(InterruptOutcome.POSTED)).isGreaterThan(50);
            assertThat(posted.interrupts(InterruptOutcome.REMAPPED)).isZero();
            assertThat(posted.interrupts(InterruptOutcome.BLOCKED)).isZero();
            assertThat(exits(posted, ExitReason.MSR_WRITE, "EOI")).isZero();
            assertThat(exits(posted, ExitReason.EXTERNAL_INTERRUPT, "-")).isZero();
            assertThat(exits(posted, ExitReason.INTERRUPT_WINDOW, "-")).isZero();
        }
    }

    /** With remapping on compatibility format is blocked, so nobody's interrupts may go past the table. */
    @Test
    void shouldRemapEveryAssignedNicOnceOneAsksForIt() throws ConfigException, IOException {
        try (Lab lab = lab(ClockMode.VIRTUAL, InterruptDelivery.FORWARDED, InterruptDelivery.POSTED)) {
            lab.warmUp(1_000_000_000L);
            lab.measure(PICOS, passed -> {});
            assertThat(lab.ledgers().get(0).interrupts(InterruptOutcome.REMAPPED))
                    .isGreaterThan(50);
            assertThat(lab.ledgers().get(0).interrupts(InterruptOutcome.BLOCKED))
                    .isZero();
        }
    }

    /** On threads nothing may be lost: a lost interrupt would end the round trips. */
    @ParameterizedTest
    @EnumSource(InterruptDelivery.class)
    void shouldKeepGoingOnThreads(InterruptDelivery delivery) throws ConfigException, IOException {
        try (Lab lab = lab(ClockMode.WALL, delivery)) {
            lab.warmUp(1_000_000_000L);
            for (int part = 0; part < 5; part++) {
                long before = lab.ledgers().getFirst().frames(Direction.RX);
                lab.measure((part + 1) * 100_000_000_000L, passed -> {});
                assertThat(lab.ledgers().getFirst().frames(Direction.RX))
                        .as("part %d", part)
                        .isGreaterThan(before);
            }
        }
    }
}

package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.time.Cost;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The TSC-deadline timer of a vCPU: one MSR_WRITE to arm it; it fires by the preemption timer, or ends a HLT. */
class VcpuTimerTest extends VcpuFixture {
    private static final long LATER = 50_000_000_000L;

    private long armed() {
        return count(ExitReason.MSR_WRITE, "TSC_DEADLINE", ExitHandler.KERNEL);
    }

    @Test
    void shouldArmOnceAndEndTheHaltAfterTheWakeUpLatency() {
        long[] handled = new long[1];
        software.wakeAt = LATER;
        software.onInterrupt = vector -> {
            handled[0] = vcpu.nowPicos();
            software.wakeAt = Long.MAX_VALUE;
        };

        settle();

        assertThat(software.interrupts).containsExactly(Processor.TIMER_VECTOR);
        assertThat(armed()).isOne();
        assertThat(picos(ExitReason.MSR_WRITE, "TSC_DEADLINE", ExitHandler.KERNEL))
                .isEqualTo(cost(Cost.EXIT_MSR_WRITE, Cost.INDIRECT_EXIT));
        assertThat(handled[0]).isEqualTo(LATER + cost(Cost.WAKE_VCPU, Cost.INJECT_EVENT, Cost.GUEST_IRQ_ENTRY));
        assertThat(count(ExitReason.PREEMPTION_TIMER)).isZero();
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isZero();
        assertThat(count(ExitReason.HLT)).isEqualTo(2);
    }

    @Test
    void shouldNotArmAgainForTheSameDeadline() {
        software.wakeAt = LATER;
        timeline.until(1_000_000_000L);
        assertThat(armed()).isOne();

        vcpu.post(0x41, timeline.nowPicos());
        timeline.until(2_000_000_000L);

        assertThat(software.interrupts).containsExactly(0x41);
        assertThat(armed()).isOne();
        software.wakeAt = LATER + 1;
        vcpu.post(0x41, timeline.nowPicos());
        timeline.until(3_000_000_000L);
        assertThat(armed()).isEqualTo(2);
    }

    @Test
    @DisplayName("expiry while the guest runs: PREEMPTION_TIMER, EOI, and no kick")
    void shouldExitWhenTheTimerExpiresInTheGuest() {
        software.wakeAt = LATER;
        software.onInterrupt = vector -> {
            if (vector == Processor.TIMER_VECTOR) {
                software.wakeAt = Long.MAX_VALUE;
            } else {
                software.actions.add(() -> vcpu.spend(2 * LATER));
                software.actions.add(() -> {});
            }
        };
        timeline.until(1_000_000_000L);

        vcpu.post(0x41, timeline.nowPicos());
        settle();

        assertThat(software.interrupts).containsExactly(0x41, Processor.TIMER_VECTOR);
        assertThat(count(ExitReason.PREEMPTION_TIMER, "-", ExitHandler.KERNEL)).isOne();
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isZero();
        assertThat(count(ExitReason.MSR_WRITE, "EOI", ExitHandler.KERNEL)).isEqualTo(2);
    }

    @Test
    @DisplayName("timer and device interrupt during one wake-up: both are delivered by it, at the earlier one's time")
    void shouldWakeOnceForTimerAndInterrupt() {
        software.wakeAt = LATER;
        long[] handled = new long[1];
        software.onInterrupt = vector -> {
            software.wakeAt = Long.MAX_VALUE;
            handled[0] = handled[0] == 0 ? vcpu.nowPicos() : handled[0];
        };
        timeline.until(1_000_000_000L);
        long arrival = LATER - 1_000;

        vcpu.post(0x41, arrival);
        settle();

        assertThat(software.interrupts).containsExactly(Processor.TIMER_VECTOR, 0x41);
        assertThat(handled[0]).isEqualTo(arrival + cost(Cost.WAKE_VCPU, Cost.INJECT_EVENT, Cost.GUEST_IRQ_ENTRY));
        assertThat(count(ExitReason.PREEMPTION_TIMER)).isZero();
        assertThat(count(ExitReason.INTERRUPT_WINDOW)).isOne();
        assertThat(count(ExitReason.HLT)).isEqualTo(2);
    }

    @Test
    void shouldSleepForEverWithoutATimer() {
        settle();
        settle();

        assertThat(vcpu.halted()).isTrue();
        assertThat(vcpu.isIdle()).isTrue();
        assertThat(count(ExitReason.HLT)).isOne();
        assertThat(armed()).isZero();
    }
}

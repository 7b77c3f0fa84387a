package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.irq.InterruptPin;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.ScriptedActor;
import io.iolab.vmm.vcpu.GuestWindow.Trap;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Interrupts of a vCPU in x2APIC mode without APICv: which exits each costs (KVM; a device MSI to a running vCPU: 2). */
class VcpuInterruptTest extends VcpuFixture {
    private static final long BASE = 0xE000_0000L;
    private static final int PIN = 20;
    private static final long LEVEL = 1 << 15;

    private final List<Boolean> kicks = new ArrayList<>();

    /** Somebody else posts while the vCPU is in the middle of something long. */
    private void postWhileRunning(int... vectors) {
        software.actions.add(() -> vcpu.spend(1_000_000_000L));
        software.actions.add(() -> {});
        ScriptedActor device = new ScriptedActor("device", self -> {
            for (int vector : vectors) {
                kicks.add(vcpu.post(vector, self.nowPicos()));
            }
            self.rest();
        });
        timeline.add("device", device);
        settle();
    }

    @Test
    @DisplayName("device MSI to a running vCPU: EXTERNAL_INTERRUPT and EOI, nothing else")
    void shouldKickARunningVcpuOnce() {
        postWhileRunning(0x41);

        assertThat(software.interrupts).containsExactly(0x41);
        assertThat(kicks).containsExactly(true);
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT, "-", ExitHandler.KERNEL))
                .isOne();
        assertThat(picos(ExitReason.EXTERNAL_INTERRUPT, "-", ExitHandler.KERNEL))
                .isEqualTo(cost(Cost.EXIT_EXTERNAL_INTERRUPT, Cost.INDIRECT_EXIT));
        assertThat(count(ExitReason.MSR_WRITE, "EOI", ExitHandler.KERNEL)).isOne();
        assertThat(picos(ExitReason.MSR_WRITE, "EOI", ExitHandler.KERNEL))
                .isEqualTo(cost(Cost.EXIT_EOI, Cost.INDIRECT_EXIT));
        assertThat(count(ExitReason.INTERRUPT_WINDOW)).isZero();
        assertThat(ledger.exits().total()).as("kick, EOI, and the final HLT").isEqualTo(3);
        assertThat(ledger.interrupts(InterruptOutcome.INJECTED)).isOne();
        assertThat(ledger.interrupts(InterruptOutcome.RAISED)).isOne();
    }

    @Test
    @DisplayName("several vectors at once: one kick (ON collapses), one INTERRUPT_WINDOW for each that waits")
    void shouldOpenAWindowForEachInterruptThatWaits() {
        postWhileRunning(0x41, 0x61, 0x51);

        assertThat(software.interrupts).as("by priority").containsExactly(0x61, 0x51, 0x41);
        assertThat(kicks).containsExactly(true, false, false);
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isOne();
        assertThat(count(ExitReason.INTERRUPT_WINDOW)).isEqualTo(2);
        assertThat(count(ExitReason.MSR_WRITE, "EOI", ExitHandler.KERNEL)).isEqualTo(3);
    }

    @Test
    void shouldMergeAVectorThatIsPosted() {
        postWhileRunning(0x41, 0x41, 0x41);

        assertThat(software.interrupts).containsExactly(0x41);
        assertThat(kicks).containsExactly(true, false, false);
        assertThat(ledger.interrupts(InterruptOutcome.RAISED)).isEqualTo(3);
        assertThat(ledger.interrupts(InterruptOutcome.COALESCED)).isEqualTo(2);
        assertThat(ledger.interrupts(InterruptOutcome.INJECTED)).isOne();
    }

    @Test
    @DisplayName("to a halted vCPU: no exit for the arrival, and the handler runs after the wake-up latency")
    void shouldWakeAHaltedVcpuWithoutAnExit() {
        settle();
        assertThat(vcpu.halted()).isTrue();
        long[] handled = new long[1];
        software.onInterrupt = vector -> handled[0] = vcpu.nowPicos();
        long arrival = timeline.nowPicos() + 5_000;

        boolean kicked = vcpu.post(0x41, arrival);
        settle();

        assertThat(kicked).isFalse();
        assertThat(handled[0]).isEqualTo(arrival + cost(Cost.WAKE_VCPU, Cost.INJECT_EVENT, Cost.GUEST_IRQ_ENTRY));
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isZero();
        assertThat(count(ExitReason.HLT, "-", ExitHandler.KERNEL)).isEqualTo(2);
        assertThat(picos(ExitReason.HLT, "-", ExitHandler.KERNEL))
                .as("without the sleep")
                .isEqualTo(2 * cost(Cost.EXIT_HLT, Cost.INDIRECT_EXIT));
    }

    @Test
    void shouldCountTheTimeAsleep() {
        settle();
        long halted = cost(Cost.EXIT_HLT, Cost.INDIRECT_EXIT);
        long arrival = timeline.nowPicos();

        vcpu.post(0x41, arrival);
        settle();

        assertThat(ledger.haltedPicos()).isEqualTo(arrival + cost(Cost.WAKE_VCPU) - halted);
    }

    @Test
    void shouldNotBeWokenTwiceByTwoInterrupts() {
        settle();
        long arrival = timeline.nowPicos() + 5_000;
        long[] handled = new long[2];
        software.onInterrupt = vector -> handled[software.interrupts.size() - 1] = vcpu.nowPicos();

        vcpu.post(0x41, arrival);
        vcpu.post(0x51, arrival + 100);
        settle();

        assertThat(software.interrupts).containsExactly(0x51, 0x41);
        assertThat(handled[0]).isEqualTo(arrival + cost(Cost.WAKE_VCPU, Cost.INJECT_EVENT, Cost.GUEST_IRQ_ENTRY));
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isZero();
    }

    @Test
    @DisplayName("raised by the vCPU's own exit: injected at the re-entry, no kick")
    void shouldNotKickForWhatItsOwnExitSetOff() {
        bus.window(BASE, "nic", Trap.USER, Trap.USER).onWrite = () -> kicks.add(vcpu.post(0x41, vcpu.nowPicos()));
        bus.portWindow(0xCF8, "config");

        software.actions.add(() -> vcpu.store(BASE, 4, 1));
        software.actions.add(() -> {
            bus.afterUserExit = () -> kicks.add(vcpu.post(0x42, vcpu.nowPicos()));
            vcpu.out(0xCF8, 4, 1);
        });
        software.actions.add(() -> vcpu.load(0xD000_0000L, 4));
        settle();

        assertThat(software.interrupts).containsExactly(0x41, 0x42, 0x42);
        assertThat(kicks).containsExactly(false, false, false);
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isZero();
    }

    @Test
    @DisplayName("raised by a mapped register access: the processor is in the guest, so it is kicked")
    void shouldKickForWhatAMappedAccessSetOff() {
        bus.window(BASE, "bar", Trap.NONE, Trap.NONE).onWrite = () -> kicks.add(vcpu.post(0x41, vcpu.nowPicos()));

        run(() -> vcpu.store(BASE, 4, 1));

        assertThat(software.interrupts).containsExactly(0x41);
        assertThat(kicks).containsExactly(true);
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isOne();
    }

    private InterruptPin levelPin(int vector) {
        ioApic.write(0, 4, 0x10 + 2 * PIN);
        ioApic.write(0x10, 4, LEVEL | vector);
        return ioApic.pin(PIN);
    }

    @Test
    @DisplayName("level high at EOI: exactly one new delivery for each EOI, through a window, without a kick")
    void shouldDeliverALevelAgainThatOutlivesItsEoi() {
        InterruptPin pin = levelPin(0x31);
        software.onInterrupt = vector -> {
            if (software.interrupts.size() == 3) {
                pin.set(false);
            }
        };

        run(() -> pin.set(true));

        assertThat(software.interrupts).containsExactly(0x31, 0x31, 0x31);
        assertThat(count(ExitReason.MSR_WRITE, "EOI", ExitHandler.KERNEL)).isEqualTo(3);
        assertThat(count(ExitReason.INTERRUPT_WINDOW)).isEqualTo(2);
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT))
                .as("only for the first")
                .isOne();
        assertThat(ioApic.resent()).isEqualTo(2);
        assertThat(levelKicks).containsExactly(true, false, false);
    }

    @Test
    void shouldSeeALevelOnceThatItsHandlerClears() {
        InterruptPin pin = levelPin(0x31);
        software.onInterrupt = vector -> pin.set(false);

        settle();
        pin.set(true);
        settle();
        pin.set(true);
        settle();

        assertThat(software.interrupts).containsExactly(0x31, 0x31);
        assertThat(ioApic.resent()).isZero();
        assertThat(count(ExitReason.INTERRUPT_WINDOW)).isZero();
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isZero();
    }

    @Test
    void shouldNotKickTwiceForTwoLevels() {
        InterruptPin first = levelPin(0x31);
        ioApic.write(0, 4, 0x10 + 2 * (PIN + 1));
        ioApic.write(0x10, 4, LEVEL | 0x32);
        InterruptPin second = ioApic.pin(PIN + 1);
        software.onInterrupt = vector -> (vector == 0x31 ? first : second).set(false);

        software.actions.add(() -> vcpu.spend(1_000_000_000L));
        software.actions.add(() -> {});
        timeline.add("device", new ScriptedActor("device", self -> {
            first.set(true);
            second.set(true);
            self.rest();
        }));
        settle();

        assertThat(software.interrupts).containsExactly(0x32, 0x31);
        assertThat(levelKicks).containsExactly(true, false);
        assertThat(count(ExitReason.EXTERNAL_INTERRUPT)).isOne();
    }

    @Test
    @DisplayName("an interrupt storm does not keep the software from running")
    void shouldBoundTheInterruptsOfAStep() {
        software.onInterrupt = vector -> {
            if (software.interrupts.size() < 1_000) {
                vcpu.post(vector, vcpu.nowPicos());
            }
        };

        run(() -> vcpu.post(0x41, vcpu.nowPicos()));

        assertThat(software.interrupts).hasSize(1_000);
        assertThat(software.steps).isGreaterThan(1_000 / 20);
    }

    @Test
    void shouldRefuseVectorsThatAreExceptions() {
        run(() -> vcpu.post(0x0F, vcpu.nowPicos()));

        assertThat(software.interrupts).isEmpty();
        assertThat(apic.refused()).isOne();
    }
}

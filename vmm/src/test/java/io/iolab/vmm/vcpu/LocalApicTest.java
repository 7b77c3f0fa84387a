package io.iolab.vmm.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.memory.Allocations;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * SDM volume 3, chapter "Advanced Programmable Interrupt Controller (APIC)". MSR numbers are transcribed from its table "Local APIC
 * Register Address Map Supported by x2APIC" and not taken from the model.
 */
@DisplayName("Local APIC")
class LocalApicTest {
    private static final int TPR = 0x808;
    private static final int PPR = 0x80A;
    private static final int EOI = 0x80B;
    private static final int SVR = 0x80F;
    private static final int ISR = 0x810;
    private static final int TMR = 0x818;
    private static final int IRR = 0x820;
    private static final int ESR = 0x828;
    private static final int ICR = 0x830;
    private static final int LVT_TIMER = 0x832;
    private static final int LVT_LINT0 = 0x835;
    private static final int LVT_ERROR = 0x837;
    private static final int SELF_IPI = 0x83F;

    private final List<Integer> broadcasts = new ArrayList<>();
    private final List<Long> ipis = new ArrayList<>();
    private final LocalApic apic = new LocalApic(0x13, broadcasts::add, (sender, icr) -> ipis.add(icr));

    @BeforeEach
    void enableBySoftware() {
        assertThat(apic.writeMsr(SVR, 0x1FF)).isTrue();
    }

    private boolean bit(int firstMsr, int vector) {
        return (apic.readMsr(firstMsr + vector / 32) >> vector % 32 & 1) != 0;
    }

    @Test
    @DisplayName("Local APIC State After Power-Up or Reset")
    void shouldHaveResetStateOfTheManual() {
        LocalApic fresh = new LocalApic(0x13, broadcasts::add, (sender, icr) -> ipis.add(icr));
        assertThat(fresh.readMsr(SVR)).isEqualTo(0xFF);
        assertThat(fresh.readMsr(TPR)).isZero();
        assertThat(fresh.readMsr(ICR)).isZero();
        for (int msr = ISR; msr < ESR; msr++) {
            assertThat(fresh.readMsr(msr)).isZero();
        }
        for (int msr = LVT_TIMER; msr <= LVT_ERROR; msr++) {
            assertThat(fresh.readMsr(msr)).isEqualTo(0x1_0000);
        }
    }

    @Test
    @DisplayName("Local APIC ID and Logical Destination Mode in x2APIC Mode")
    void shouldDeriveTheLogicalIdFromTheId() {
        assertThat(apic.readMsr(0x802)).isEqualTo(0x13);
        assertThat(apic.readMsr(0x80D)).isEqualTo(0x0001_0008);
        assertThat(apic.matches(0x13, false)).isTrue();
        assertThat(apic.matches(0x03, false)).isFalse();
        assertThat(apic.matches(-1, false)).isTrue();
        assertThat(apic.matches(0x0001_0009, true)).isTrue();
        assertThat(apic.matches(0x0001_0007, true)).isFalse();
        assertThat(apic.matches(0x0000_0008, true)).as("another cluster").isFalse();
        assertThat(apic.matches(-1, true)).isTrue();
    }

    @Test
    @DisplayName("Local APIC Version Register: 0x14 as KVM, six LVT entries, no directed EOI")
    void shouldShowTheVersionThatKvmShows() {
        assertThat(apic.readMsr(0x803)).isEqualTo(0x5_0014);
    }

    @ParameterizedTest
    @CsvSource({"0x20,0x30", "0x30,0x31", "0xFE,0xFF", "0x10,0xFF", "0x3F,0x40"})
    @DisplayName("Interrupt, Task, and Processor Priority: the higher vector first")
    void shouldOfferTheHighestVector(String lowText, String highText) {
        int low = Integer.decode(lowText);
        int high = Integer.decode(highText);
        assertThat(apic.accept(high, false)).isEqualTo(Acceptance.PENDING);
        assertThat(apic.accept(low, false)).isEqualTo(Acceptance.PENDING);
        assertThat(apic.pendingVector()).isEqualTo(high);
        assertThat(apic.acknowledge()).isEqualTo(high);
        assertThat(bit(IRR, high)).isFalse();
        assertThat(bit(ISR, high)).isTrue();
        assertThat(bit(IRR, low)).isTrue();
        assertThat(apic.pendingVector()).as("not above the class in service").isEqualTo(-1);
        apic.writeMsr(EOI, 0);
        assertThat(bit(ISR, high)).isFalse();
        assertThat(apic.pendingVector()).isEqualTo(low);
    }

    @Test
    @DisplayName("Processor Priority Register: same class as in service waits, a higher one nests")
    void shouldNestOnlyByClass() {
        apic.accept(0x45, false);
        apic.acknowledge();
        assertThat(apic.readMsr(PPR)).isEqualTo(0x40);
        apic.accept(0x4F, false);
        assertThat(apic.pendingVector()).isEqualTo(-1);
        apic.accept(0x50, false);
        assertThat(apic.acknowledge()).isEqualTo(0x50);
        assertThat(apic.readMsr(PPR)).isEqualTo(0x50);
        assertThat(apic.inService()).isEqualTo(0x50);
        apic.writeMsr(EOI, 0);
        assertThat(apic.inService()).isEqualTo(0x45);
        assertThat(apic.pendingVector()).isEqualTo(-1);
        apic.writeMsr(EOI, 0);
        assertThat(apic.acknowledge()).isEqualTo(0x4F);
    }

    @Test
    @DisplayName("Processor Priority Register: TPR if its class is not below that in service")
    void shouldTakePprFromTheHigherOfTprAndService() {
        apic.writeMsr(TPR, 0x25);
        assertThat(apic.readMsr(PPR)).isEqualTo(0x25);
        apic.accept(0x2F, false);
        assertThat(apic.pendingVector()).as("class 2 is not above TPR class 2").isEqualTo(-1);
        assertThat(apic.highestRequested()).isEqualTo(0x2F);
        apic.accept(0x31, false);
        apic.acknowledge();
        assertThat(apic.readMsr(PPR)).isEqualTo(0x30);
        apic.writeMsr(TPR, 0x33);
        assertThat(apic.readMsr(PPR)).isEqualTo(0x33);
        apic.writeMsr(TPR, 0x1F);
        assertThat(apic.readMsr(PPR)).isEqualTo(0x30);
        apic.writeMsr(EOI, 0);
        assertThat(apic.pendingVector()).isEqualTo(0x2F);
    }

    @Test
    @DisplayName("Spurious Interrupt: TPR raised before acknowledge; no ISR bit, no EOI")
    void shouldGiveTheSpuriousVectorWhenTprWasRaised() {
        apic.writeMsr(SVR, 0x1EE);
        apic.accept(0x61, false);
        assertThat(apic.pendingVector()).isEqualTo(0x61);
        apic.writeMsr(TPR, 0x60);
        assertThat(apic.acknowledge()).isEqualTo(0xEE);
        assertThat(apic.spurious()).isOne();
        assertThat(apic.inService()).isEqualTo(-1);
        assertThat(bit(ISR, 0xEE)).isFalse();
        assertThat(bit(IRR, 0x61)).isTrue();
        apic.writeMsr(TPR, 0);
        assertThat(apic.acknowledge()).isEqualTo(0x61);
    }

    @Test
    @DisplayName("Interrupt Acceptance for Fixed Interrupts: one pending in IRR, one more in service")
    void shouldCoalesceWhilePendingAndHoldOneMoreWhileInService() {
        assertThat(apic.accept(0x80, false)).isEqualTo(Acceptance.PENDING);
        assertThat(apic.accept(0x80, false)).isEqualTo(Acceptance.COALESCED);
        apic.acknowledge();
        assertThat(apic.accept(0x80, false)).isEqualTo(Acceptance.PENDING);
        assertThat(apic.accept(0x80, false)).isEqualTo(Acceptance.COALESCED);
        assertThat(apic.accepted()).isEqualTo(2);
        assertThat(apic.coalesced()).isEqualTo(2);
        assertThat(Acceptance.COALESCED.accepted()).isTrue();
    }

    @Test
    @DisplayName(
            "Signaling Interrupt Servicing Completion: EOI of a level-triggered vector is broadcast, of an edge one not")
    void shouldBroadcastTheEoiOfLevelVectorsOnly() {
        apic.accept(0x51, true);
        apic.accept(0x61, false);
        assertThat(bit(TMR, 0x51)).isTrue();
        assertThat(bit(TMR, 0x61)).isFalse();
        assertThat(apic.levelTriggered(0x51)).isTrue();
        apic.acknowledge();
        apic.writeMsr(EOI, 0);
        assertThat(broadcasts).isEmpty();
        apic.acknowledge();
        apic.writeMsr(EOI, 0);
        assertThat(broadcasts).containsExactly(0x51);
        apic.accept(0x51, false);
        apic.acknowledge();
        assertThat(apic.endOfInterrupt()).as("now arrived as an edge").isEqualTo(0x51);
        assertThat(broadcasts).hasSize(1);
        assertThat(apic.eois()).isEqualTo(3);
    }

    @Test
    @DisplayName("EOI with nothing in service is ignored; a value other than 0 is #GP in x2APIC mode")
    void shouldIgnoreAnEoiTooMany() {
        assertThat(apic.writeMsr(EOI, 0)).isTrue();
        assertThat(apic.ignoredEois()).isOne();
        apic.accept(0x51, true);
        apic.acknowledge();
        assertThat(apic.writeMsr(EOI, 1)).isFalse();
        assertThat(apic.inService()).isEqualTo(0x51);
        assertThat(apic.eois()).isZero();
    }

    @Test
    @DisplayName("Local APIC State After It Has Been Software Disabled")
    void shouldRefuseWhenDisabledAndKeepWhatItHas() {
        apic.accept(0x71, false);
        apic.acknowledge();
        apic.accept(0x91, false);
        apic.writeMsr(LVT_TIMER, 0x40);
        apic.writeMsr(SVR, 0xFF);
        assertThat(apic.accept(0xA1, false)).isEqualTo(Acceptance.REFUSED);
        assertThat(apic.refused()).isOne();
        assertThat(bit(ISR, 0x71)).isTrue();
        assertThat(bit(IRR, 0x91)).isTrue();
        assertThat(apic.readMsr(LVT_TIMER)).as("all LVT mask bits are forced").isEqualTo(0x1_0040);
        apic.writeMsr(LVT_TIMER, 0x40);
        assertThat(apic.readMsr(LVT_TIMER)).as("and cannot be reset").isEqualTo(0x1_0040);
        assertThat(apic.raiseLocal(LVT_TIMER)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15})
    @DisplayName("Error Status Register: receive illegal vector, bit 6; latched by a write of 0")
    void shouldReportAnIllegalVectorReceived(int vector) {
        apic.writeMsr(LVT_ERROR, 0xFE);
        assertThat(apic.accept(vector, false)).isEqualTo(Acceptance.REFUSED);
        assertThat(apic.pendingVector()).as("error interrupt").isEqualTo(0xFE);
        assertThat(apic.readMsr(ESR)).as("before the latching write").isZero();
        assertThat(apic.writeMsr(ESR, 1)).as("only 0 may be written").isFalse();
        assertThat(apic.writeMsr(ESR, 0)).isTrue();
        assertThat(apic.readMsr(ESR)).isEqualTo(1 << 6);
        apic.writeMsr(ESR, 0);
        assertThat(apic.readMsr(ESR)).as("nothing since").isZero();
    }

    @Test
    @DisplayName("Error Status Register: send illegal vector, bit 5; an illegal error vector does not recurse")
    void shouldReportAnIllegalVectorSent() {
        apic.writeMsr(LVT_ERROR, 0x03);
        apic.writeMsr(SELF_IPI, 0x0F);
        apic.writeMsr(ESR, 0);
        assertThat(apic.readMsr(ESR)).isEqualTo(1 << 5);
        apic.writeMsr(ICR, 0x13L << 32 | 0x0E);
        apic.writeMsr(ESR, 0);
        assertThat(apic.readMsr(ESR)).isEqualTo(1 << 5);
        assertThat(apic.pendingVector()).isEqualTo(-1);
    }

    @Test
    @DisplayName("SELF IPI Register, and ICR to self by shorthand and by physical id")
    void shouldSendToItself() {
        assertThat(apic.writeMsr(SELF_IPI, 0x41)).isTrue();
        assertThat(apic.writeMsr(ICR, 1 << 18 | 1 << 14 | 0x42)).isTrue();
        assertThat(apic.writeMsr(ICR, 0x13L << 32 | 1 << 14 | 0x43)).isTrue();
        assertThat(bit(IRR, 0x41) && bit(IRR, 0x42) && bit(IRR, 0x43)).isTrue();
        assertThat(bit(TMR, 0x41) || bit(TMR, 0x42) || bit(TMR, 0x43)).isFalse();
        assertThat(ipis).isEmpty();
        assertThat(apic.writeMsr(SELF_IPI, 0x141)).isFalse();
    }

    @Test
    @DisplayName("Interrupt Command Register: what is not for itself alone goes out as written, busy bit cleared")
    void shouldHandOtherIpisOn() {
        long toAnother = 0x12L << 32 | 0x44;
        long toAll = 2 << 18 | 0x45;
        long logical = 0x0001_0008L << 32 | 1 << 11 | 0x46;
        long init = 0x13L << 32 | 5 << 8;
        apic.writeMsr(ICR, toAnother | 1 << 12);
        assertThat(apic.readMsr(ICR)).isEqualTo(toAnother);
        apic.writeMsr(ICR, toAll);
        apic.writeMsr(ICR, logical);
        apic.writeMsr(ICR, init);
        assertThat(ipis).containsExactly(toAnother, toAll, logical, init);
        assertThat(apic.accepted()).isZero();
        apic.writeMsr(ICR, 0x12L << 32 | 3 << 8 | 0x44);
        apic.writeMsr(ICR, 1 << 18 | 4 << 8);
        assertThat(ipis).as("reserved mode, NMI to self").hasSize(4);
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 13, 1L << 16, 1L << 17, 1L << 20, 1L << 31})
    @DisplayName("Interrupt Command Register in x2APIC mode: reserved bits are #GP")
    void shouldFaultOnReservedIcrBits(long bit) {
        assertThat(apic.writeMsr(ICR, 0x13L << 32 | 0x44 | bit)).isFalse();
        assertThat(apic.accepted()).isZero();
        assertThat(apic.readMsr(ICR)).isZero();
    }

    @Test
    @DisplayName("x2APIC Register Address Space: read-only, write-only and missing registers are #GP")
    void shouldFaultOnWhatIsNotThere() {
        TreeSet<Integer> readable =
                new TreeSet<>(List.of(0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, 0x828, 0x830, 0x83E));
        TreeSet<Integer> writable = new TreeSet<>(List.of(0x808, 0x80B, 0x80F, 0x828, 0x830, 0x838, 0x83E, 0x83F));
        for (int msr = 0x810; msr < 0x828; msr++) {
            readable.add(msr);
        }
        for (int msr = 0x832; msr <= 0x839; msr++) {
            readable.add(msr);
        }
        for (int msr = 0x832; msr <= 0x837; msr++) {
            writable.add(msr);
        }
        for (int msr = 0x800; msr <= 0x8FF; msr++) {
            assertThat(apic.readMsr(msr) != -1).as("read of MSR 0x%x", msr).isEqualTo(readable.contains(msr));
            assertThat(apic.writeMsr(msr, 0)).as("write of MSR 0x%x", msr).isEqualTo(writable.contains(msr));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0x808,0x100",
        "0x80F,0x400",
        "0x80F,0x1000",
        "0x832,0x100",
        "0x835,0x20000",
        "0x837,0x8000",
        "0x83E,0x4"
    })
    @DisplayName("Reserved Bit Checking: a reserved bit, or one above 31, is #GP and changes nothing")
    void shouldFaultOnReservedBits(String msrText, String bitText) {
        int msr = Integer.decode(msrText);
        long before = apic.readMsr(msr);
        assertThat(apic.writeMsr(msr, Integer.decode(bitText))).isFalse();
        assertThat(apic.writeMsr(msr, 1L << 32)).isFalse();
        assertThat(apic.readMsr(msr)).isEqualTo(before);
    }

    @Test
    @DisplayName("Local Vector Table: status bits are read-only; an unmasked fixed entry delivers")
    void shouldStoreTheLocalVectorTable() {
        assertThat(apic.writeMsr(LVT_LINT0, 0xF7FF)).isTrue();
        assertThat(apic.readMsr(LVT_LINT0)).isEqualTo(0xA7FF);
        assertThat(apic.writeMsr(LVT_TIMER, 0x2_00EC)).isTrue();
        assertThat(apic.raiseLocal(LVT_TIMER)).isTrue();
        assertThat(apic.pendingVector()).isEqualTo(0xEC);
        apic.writeMsr(LVT_TIMER, 0x1_00ED);
        assertThat(apic.raiseLocal(LVT_TIMER)).isFalse();
    }

    /** Against a naive model: sets of numbers and the rule of the manual. */
    @Test
    void shouldFollowThePriorityRuleUnderRandomUse() {
        long seed = 8_259;
        SplittableRandom random = new SplittableRandom(seed);
        TreeSet<Integer> irr = new TreeSet<>();
        TreeSet<Integer> isr = new TreeSet<>();
        int tpr = 0;
        for (int i = 0; i < 50_000; i++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    int vector = 16 + random.nextInt(240);
                    assertThat(apic.accept(vector, random.nextBoolean()) == Acceptance.PENDING)
                            .as("seed %d, round %d", seed, i)
                            .isEqualTo(irr.add(vector));
                }
                case 2 -> {
                    tpr = random.nextInt(1 << random.nextInt(1, 9));
                    apic.writeMsr(TPR, tpr);
                }
                case 3 -> {
                    apic.writeMsr(EOI, 0);
                    isr.pollLast();
                }
                default -> {
                    int taken = apic.acknowledge();
                    if (!irr.isEmpty() && irr.last() >> 4 > priorityClass(tpr, isr)) {
                        assertThat(taken).as("seed %d, round %d", seed, i).isEqualTo(irr.last());
                        isr.add(irr.pollLast());
                    } else {
                        assertThat(taken).as("seed %d, round %d", seed, i).isEqualTo(0xFF);
                    }
                }
            }
            int expected = !irr.isEmpty() && irr.last() >> 4 > priorityClass(tpr, isr) ? irr.last() : -1;
            assertThat(apic.pendingVector()).as("seed %d, round %d", seed, i).isEqualTo(expected);
        }
    }

    private static int priorityClass(int tpr, TreeSet<Integer> isr) {
        return Math.max(tpr >> 4, isr.isEmpty() ? 0 : isr.last() >> 4);
    }

    @Test
    void shouldAllocateNothingPerInterrupt() {
        LocalApic quiet = new LocalApic(0, vector -> {}, (sender, icr) -> {});
        quiet.writeMsr(SVR, 0x1FF);
        long bytes = Allocations.bytesOf(10_000, () -> {
            quiet.accept(0x51, true);
            quiet.accept(0x51, true);
            if (quiet.pendingVector() != 0x51 || quiet.acknowledge() != 0x51) {
                throw new AssertionError();
            }
            quiet.accept(3, false);
            quiet.writeMsr(TPR, quiet.readMsr(PPR));
            quiet.writeMsr(EOI, 0);
            quiet.writeMsr(TPR, 0);
        });
        assertThat(bytes).as("bytes in 10,000 rounds").isLessThan(1_000);
    }
}

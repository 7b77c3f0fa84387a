package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.spec.Spec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Fault records, status and event (VT-d chapter 7; 10.4.9 to 10.4.14). Four records; every requester faults with reason 1. */
class FaultRecordingTest {
    private static final int PFO = 1;
    private static final int PPF = 2;
    private static final int F = 1 << 31;

    private final Bench bench =
            new Bench(RemappingOptions.builder().faultRecords(4).build());

    @BeforeEach
    void enable() {
        bench.setRoot(Tables.ROOT);
        bench.translation(true);
        bench.store32(Bench.FEADDR, 0xFEE0_3000);
        bench.store32(Bench.FEDATA, 0x32);
    }

    @AfterEach
    void release() {
        bench.close();
    }

    private void fault(int rid) {
        bench.unit.portFor(rid).read(rid * 4096L, new byte[4], 0, 4, DmaKind.PAYLOAD);
    }

    private boolean pending(int record) {
        return (bench.load32(Bench.FRCD + 16 * record + 12) & F) != 0;
    }

    private int source(int record) {
        return bench.load32(Bench.FRCD + 16 * record + 8) & 0xFFFF;
    }

    private void clear(int record) {
        bench.store32(Bench.FRCD + 16 * record + 12, F);
    }

    @Test
    @Spec(id = "F1", section = "VT-d 3.3 7.2.1")
    void shouldUseRecordsInOrderAndWrap() {
        for (int rid = 1; rid <= 10; rid++) {
            int record = (rid - 1) % 4;
            fault(rid);
            assertThat(source(record)).isEqualTo(rid);
            assertThat(bench.load64(Bench.FRCD + 16 * record)).isEqualTo(rid * 4096L);
            assertThat(bench.load32(Bench.FSTS)).as("FRI, PPF").isEqualTo(record << 8 | PPF);
            clear(record);
            assertThat(bench.load32(Bench.FSTS) & PPF).isZero();
        }
        assertThat(bench.unit.counters().faultsRecorded()).isEqualTo(10);
    }

    /** FRI stays at the first record while others follow. */
    @Test
    @Spec(id = "F1", section = "VT-d 3.3 7.2.1")
    void shouldKeepIndexOfFirstPendingRecord() {
        fault(1);
        clear(0);
        fault(2);
        fault(3);
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(1 << 8 | PPF);
    }

    @Test
    void shouldClearPendingFaultOnlyWithTheLastRecord() {
        fault(1);
        fault(2);
        clear(0);
        assertThat(bench.load32(Bench.FSTS) & PPF).isEqualTo(PPF);
        assertThat(pending(0)).isFalse();
        clear(1);
        assertThat(bench.load32(Bench.FSTS) & PPF).isZero();
    }

    @Test
    void shouldOnlyClearRecordByItsTopBit() {
        fault(1);
        bench.store64(Bench.FRCD, -1);
        bench.store32(Bench.FRCD + 8, -1);
        bench.store32(Bench.FRCD + 12, F - 1);
        bench.store32(Bench.FSTS, PPF | 0xFF00);
        assertThat(pending(0)).isTrue();
        assertThat(bench.load64(Bench.FRCD)).isEqualTo(4096);
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(PPF);
    }

    /** A requester with a record pending gets no second one. */
    @Test
    @Spec(id = "F3", section = "VT-d 3.3 7.2.1")
    void shouldCollapseFaultsOfOneRequester() {
        fault(1);
        fault(1);
        fault(2);
        fault(1);
        assertThat(source(1)).isEqualTo(2);
        assertThat(pending(2)).isFalse();
        assertThat(bench.unit.counters().faultsCollapsed()).isEqualTo(2);
        assertThat(bench.unit.counters().blocked()).isEqualTo(4);
        clear(0);
        fault(1);
        assertThat(source(2)).isEqualTo(1);
    }

    /** With every record taken PFO is set; until it is cleared nothing is recorded, even when records are free again. */
    @Test
    @Spec(id = "F2", section = "VT-d 3.3 7.2.1")
    void shouldOverflowAndLoseFaultsUntilCleared() {
        for (int rid = 1; rid <= 6; rid++) {
            fault(rid);
        }
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(PFO | PPF);
        assertThat(bench.unit.counters().faultsLost()).isEqualTo(2);
        for (int record = 0; record < 4; record++) {
            assertThat(source(record)).isEqualTo(record + 1);
            clear(record);
        }
        assertThat(bench.load32(Bench.FSTS)).isEqualTo(PFO);
        fault(7);
        assertThat(pending(0)).isFalse();
        bench.store32(Bench.FSTS, PFO);
        fault(7);
        assertThat(pending(0)).isTrue();
        assertThat(source(0)).isEqualTo(7);
    }

    /** One message for the first condition; none while one is pending. */
    @Test
    @Spec(id = "F8", section = "VT-d 3.3 7.3")
    void shouldSendOneEventUntilAllConditionsAreCleared() {
        bench.store32(Bench.FECTL, 0);
        for (int rid = 1; rid <= 6; rid++) {
            fault(rid);
        }
        assertThat(bench.messages).containsExactly(new Bench.Message(0xFEE0_3000L, 0x32));
        for (int record = 0; record < 4; record++) {
            clear(record);
        }
        fault(8);
        assertThat(bench.messages).as("PFO still pending").hasSize(1);
        bench.store32(Bench.FSTS, PFO);
        fault(8);
        assertThat(bench.messages).hasSize(2);
    }

    @Test
    @Spec(id = "F9", section = "VT-d 3.3 7.3")
    void shouldHoldEventWhileMaskedAndSendOnUnmask() {
        fault(1);
        assertThat(bench.messages).isEmpty();
        assertThat(bench.load32(Bench.FECTL)).as("IM, IP").isEqualTo(3 << 30);
        bench.store32(Bench.FECTL, 0);
        assertThat(bench.messages).hasSize(1);
        assertThat(bench.load32(Bench.FECTL)).isZero();
    }

    /** Software that polled and cleared everything gets no late message. */
    @Test
    @Spec(id = "F9", section = "VT-d 3.3 7.3")
    void shouldWithdrawEventWhenNothingIsPendingAnyMore() {
        fault(1);
        clear(0);
        assertThat(bench.load32(Bench.FECTL)).isEqualTo(1 << 31);
        bench.store32(Bench.FECTL, 0);
        assertThat(bench.messages).isEmpty();
    }

    /** IP is read-only. */
    @Test
    void shouldNotPendBySoftware() {
        bench.store32(Bench.FECTL, 1 << 30);
        assertThat(bench.load32(Bench.FECTL)).isZero();
        assertThat(bench.messages).isEmpty();
    }

    /** An event address outside of the interrupt range would be a write to memory: it goes nowhere. */
    @Test
    void shouldNotWriteMemoryThroughEventAddress() {
        bench.store32(Bench.FEADDR, 0x1000);
        bench.store32(Bench.FECTL, 0);
        fault(1);
        assertThat(bench.messages).isEmpty();
        assertThat(bench.memory.readInt(0x1000)).isZero();
    }
}

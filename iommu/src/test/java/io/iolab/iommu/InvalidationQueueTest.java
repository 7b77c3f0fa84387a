package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import io.iolab.iommu.invalidate.InvalidationKind;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The queue itself: indices, waits, completion events, errors and recovery (VT-d 6.5.2, 10.4.21 to 10.4.28). */
class InvalidationQueueTest {
    private static final long QUEUE = 0x40_0000;
    private static final long STATUS = 0x50_0000;
    private static final int STATUS_WRITE = 1 << 5;
    private static final int INTERRUPT = 1 << 4;
    private static final int FENCE = 1 << 6;

    private Bench bench = new Bench();

    @BeforeEach
    void enable() {
        bench.store64(Bench.IQA, QUEUE);
        bench.store32(Bench.GCMD, Bench.QIE);
    }

    @AfterEach
    void release() {
        bench.close();
    }

    private void put(int offset, long low, long high) {
        bench.memory.writeLong(QUEUE + offset, low);
        bench.memory.writeLong(QUEUE + offset + 8, high);
    }

    private void putWait(int offset, int flags, int data) {
        put(offset, 5 | flags | (long) data << 32, STATUS);
    }

    private long waits() {
        return bench.unit.counters().queuedInvalidations(InvalidationKind.WAIT);
    }

    @Test
    void shouldNotRingWhileDisabled() {
        bench.store32(Bench.GCMD, 0);
        putWait(0, STATUS_WRITE, 5);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.load32(Bench.IQH)).isZero();
        assertThat(bench.memory.readInt(STATUS)).isZero();
    }

    @Test
    @Spec(id = "Q5.1", section = "VT-d 3.3 6.5.2.8")
    void shouldWriteStatusDwordOnly() {
        bench.memory.writeLong(STATUS, -1);
        putWait(0, STATUS_WRITE, 0x1234_5678);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.memory.readLong(STATUS)).isEqualTo(0xFFFF_FFFF_1234_5678L);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(16);
    }

    /** QS=0 holds 256 descriptors of 16 bytes; the index returns to 0 after the last. */
    @Test
    @Spec(id = "Q0.1", section = "VT-d 3.3 10.4.21")
    void shouldWrapAtEndOfQueue() {
        for (int round = 0; round < 3; round++) {
            for (int slot = 0; slot < 256; slot++) {
                putWait(16 * slot, STATUS_WRITE, round << 8 | slot);
                bench.store32(Bench.IQT, 16 * ((slot + 1) % 256));
                assertThat(bench.memory.readInt(STATUS)).isEqualTo(round << 8 | slot);
            }
            assertThat(bench.load32(Bench.IQH)).isZero();
        }
        assertThat(waits()).isEqualTo(768);
    }

    @Test
    void shouldRunManyDescriptorsPerDoorbellAcrossTheWrap() {
        for (int slot = 0; slot < 256; slot++) {
            putWait(16 * slot, STATUS_WRITE, slot);
        }
        bench.store32(Bench.IQT, 16 * 200);
        bench.store32(Bench.IQT, 16 * 100);
        assertThat(waits()).isEqualTo(200 + 156);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(99);
    }

    /** QS=7 is 128 pages, 32768 descriptors. */
    @Test
    @Spec(id = "Q0.1", section = "VT-d 3.3 10.4.21")
    void shouldHonourQueueSize() {
        bench.store32(Bench.GCMD, 0);
        bench.store64(Bench.IQT, 0);
        bench.store64(Bench.IQA, QUEUE | 7);
        bench.store32(Bench.GCMD, Bench.QIE);
        for (int slot = 0; slot < 32768; slot++) {
            put(16 * slot, 5 | FENCE, 0);
        }
        bench.store32(Bench.IQT, 0x7FFF0);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(0x7FFF0);
        assertThat(waits()).isEqualTo(32767);
    }

    /** A tail that is ahead when the queue comes up is worked off at once, as Windows expects. */
    @Test
    @Spec(id = "G26.1", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G26.2", section = "VT-d 3.3 10.4.4")
    void shouldFetchAtEnable() {
        bench.store32(Bench.GCMD, 0);
        putWait(0, STATUS_WRITE, 9);
        bench.store32(Bench.IQT, 16);
        bench.store32(Bench.GCMD, Bench.QIE);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(9);
    }

    @Test
    @Spec(id = "G26.3", section = "VT-d 3.3 10.4.4")
    void shouldDisableWhenDrainedAndRestartHeadAtZero() {
        putWait(0, STATUS_WRITE, 1);
        bench.store32(Bench.IQT, 16);
        bench.store32(Bench.GCMD, 0);
        assertThat(bench.load32(Bench.GSTS)).isZero();
        assertThat(bench.load32(Bench.IQH)).isZero();
    }

    /** IF sets IWC and sends the completion event once; while IWC stays set there is no other. */
    @Test
    @Spec(id = "Q5.2", section = "VT-d 3.3 6.5.2.8")
    void shouldSendCompletionEventOnceUntilAcknowledged() {
        bench.store32(Bench.IEDATA, 0x41);
        bench.store32(Bench.IEADDR, 0xFEE0_1000);
        bench.store32(Bench.IECTL, 0);
        putWait(0, INTERRUPT, 0);
        putWait(16, INTERRUPT, 0);
        bench.store32(Bench.IQT, 32);
        Bench.Message message = new Bench.Message(0xFEE0_1000L, 0x41);
        assertThat(bench.messages).containsExactly(message);
        assertThat(bench.load32(Bench.ICS)).isEqualTo(1);
        bench.store32(Bench.ICS, 1);
        assertThat(bench.load32(Bench.ICS)).isZero();
        putWait(32, INTERRUPT, 0);
        bench.store32(Bench.IQT, 48);
        assertThat(bench.messages).containsExactly(message, message);
    }

    @Test
    void shouldHoldCompletionEventWhileMasked() {
        bench.store32(Bench.IEADDR, 0xFEE0_0000);
        putWait(0, INTERRUPT, 0);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.load32(Bench.IECTL)).as("IM, IP").isEqualTo(3 << 30);
        assertThat(bench.messages).isEmpty();
        bench.store32(Bench.IECTL, 0);
        assertThat(bench.messages).hasSize(1);
        assertThat(bench.load32(Bench.IECTL)).isZero();
    }

    @Test
    void shouldWithdrawPendingCompletionEventWhenAcknowledged() {
        bench.store32(Bench.IEADDR, 0xFEE0_0000);
        putWait(0, INTERRUPT, 0);
        bench.store32(Bench.IQT, 16);
        bench.store32(Bench.ICS, 1);
        bench.store32(Bench.IECTL, 0);
        assertThat(bench.messages).isEmpty();
    }

    /** The status dword is in memory before the interrupt. */
    @Test
    void shouldOrderStatusBeforeInterrupt() {
        int[] seen = {-1};
        try (Bench fresh = new Bench()) {
            RemappingUnit unit = new RemappingUnit(
                    RemappingOptions.defaults(),
                    fresh.memory,
                    (address, data) -> seen[0] = fresh.memory.readInt(STATUS));
            Bench.Cpu cpu = new Bench.Cpu(unit.registers());
            cpu.store(Bench.BASE + Bench.IQA, 8, QUEUE);
            cpu.store32(Bench.BASE + Bench.GCMD, Bench.QIE);
            cpu.store32(Bench.BASE + Bench.IEADDR, 0xFEE0_0000);
            cpu.store32(Bench.BASE + Bench.IECTL, 0);
            fresh.memory.writeLong(QUEUE, 5 | INTERRUPT | STATUS_WRITE | 77L << 32);
            fresh.memory.writeLong(QUEUE + 8, STATUS);
            cpu.store32(Bench.BASE + Bench.IQT, 16);
            assertThat(seen[0]).isEqualTo(77);
        }
    }

    static Stream<Arguments> errors() {
        return Stream.of(
                Arguments.of("type 0", 0L, 0L, 3),
                Arguments.of("device-TLB without DT", 3L, 0L, 3),
                Arguments.of("interrupt entry cache without IR", 4L, 0L, 3),
                Arguments.of("PASID IOTLB", 6L, 0L, 3),
                Arguments.of("PASID cache", 7L, 0L, 3),
                Arguments.of("type 15", 15L, 0L, 3),
                Arguments.of("extended type bits", 1L | 1 << 4 | 1 << 9, 0L, 3),
                Arguments.of("context reserved low", 1L | 1 << 4 | 1 << 6, 0L, 4),
                Arguments.of("context reserved high", 1L | 1 << 4, 1L, 4),
                Arguments.of("context granularity 0", 1L, 0L, 4),
                Arguments.of("IOTLB reserved low", 2L | 1 << 4 | 1L << 40, 0L, 4),
                Arguments.of("IOTLB reserved high", 2L | 1 << 4, 0x80L, 4),
                Arguments.of("IOTLB granularity 0", 2L, 0L, 4),
                Arguments.of("IOTLB AM beyond MAMV", 2L | 3 << 4, 19L, 4),
                Arguments.of("wait reserved low", 5L | 1 << 5 | 1 << 8, STATUS, 4),
                Arguments.of("wait page drain without PDS", 5L | 1 << 5 | 1 << 7, STATUS, 4),
                Arguments.of("wait unaligned status", 5L | 1 << 5, STATUS + 2, 4),
                Arguments.of("wait for nothing", 5L, 0L, 4));
    }

    /** FSTS.IQE, IQEI, IQH on the offender, nothing behind it runs until software repairs the slot and clears IQE. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("errors")
    @Spec(id = "Q0.4", section = "VT-d 3.3 6.5.2.10")
    @Spec(id = "Q0.5", section = "VT-d 3.3 6.5.2.10")
    @Spec(id = "Q0.9", section = "VT-d 3.3 6.5.2.10")
    @Spec(id = "Q1.2", section = "VT-d 3.3 6.5.2.1")
    @Spec(id = "Q2.2", section = "VT-d 3.3 6.5.2.3")
    @Spec(id = "Q5.3", section = "VT-d 3.3 6.5.2.8")
    @Spec(id = "Q5.4", section = "VT-d 3.3 6.5.2.8")
    void shouldFreezeOnErrorAndResumeWhenCleared(String name, long low, long high, int code) {
        putWait(0, STATUS_WRITE, 1);
        put(16, low, high);
        putWait(32, STATUS_WRITE, 3);
        bench.store32(Bench.IQT, 48);

        assertThat(bench.load32(Bench.FSTS)).as("IQE").isEqualTo(1 << 4);
        assertThat(bench.load64(Bench.IQERCD) & 0xF).as("IQEI").isEqualTo(code);
        assertThat(bench.load32(Bench.IQH)).isEqualTo(16);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(1);

        putWait(48, STATUS_WRITE, 4);
        bench.store32(Bench.IQT, 64);
        assertThat(bench.load32(Bench.IQH)).as("frozen").isEqualTo(16);

        bench.store32(Bench.FSTS, 1 << 4);
        assertThat(bench.load32(Bench.FSTS)).as("fetched again, still bad").isEqualTo(1 << 4);
        putWait(16, STATUS_WRITE, 2);
        bench.store32(Bench.FSTS, 1 << 4);
        assertThat(bench.load32(Bench.FSTS)).isZero();
        assertThat(bench.load64(Bench.IQERCD)).isZero();
        assertThat(bench.load32(Bench.IQH)).isEqualTo(64);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(4);
    }

    @Test
    @Spec(id = "Q0.2", section = "VT-d 3.3 6.5.2.10")
    void shouldReportTailBeyondQueue() {
        bench.store32(Bench.IQT, 4096);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo(1);
        bench.store32(Bench.IQT, 0);
        bench.store32(Bench.FSTS, 1 << 4);
        assertThat(bench.load32(Bench.FSTS)).isZero();
    }

    @Test
    @Spec(id = "Q0.3", section = "VT-d 3.3 6.5.2.10")
    void shouldReportQueueThatNoMemoryBacks() {
        bench.store32(Bench.GCMD, 0);
        bench.store64(Bench.IQA, 1L << 40);
        bench.store32(Bench.GCMD, Bench.QIE);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo(2);
    }

    /** DW=1 needs scalable mode. */
    @Test
    @Spec(id = "Q0.6", section = "VT-d 3.3 6.5.2.10")
    void shouldRefuseWideDescriptors() {
        bench.store32(Bench.GCMD, 0);
        bench.store64(Bench.IQA, QUEUE | 1 << 11);
        bench.store32(Bench.GCMD, Bench.QIE);
        putWait(0, STATUS_WRITE, 1);
        bench.store32(Bench.IQT, 32);
        assertThat(bench.load64(Bench.IQERCD)).isEqualTo(5);
        assertThat(bench.memory.readInt(STATUS)).isZero();
    }

    /** A frozen queue is not drained, so it cannot be switched off. */
    @Test
    @Spec(id = "G26.3", section = "VT-d 3.3 10.4.4")
    void shouldStayEnabledWhileNotDrained() {
        put(0, 0, 0);
        bench.store32(Bench.IQT, 16);
        bench.store32(Bench.GCMD, 0);
        assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.QIE);
    }

    @Test
    @Spec(id = "Q0.9", section = "VT-d 3.3 6.5.2.10")
    void shouldSendFaultEventForQueueError() {
        bench.store32(Bench.FEADDR, 0xFEE0_2000);
        bench.store32(Bench.FEDATA, 0x31);
        bench.store32(Bench.FECTL, 0);
        put(0, 0, 0);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.messages).isEqualTo(List.of(new Bench.Message(0xFEE0_2000L, 0x31)));
    }

    /** IQA is latched when the queue is enabled. */
    @Test
    @Spec(id = "G26.4", section = "VT-d 3.3 10.4.23")
    void shouldNotFollowQueueAddressWhileEnabled() {
        bench.store64(Bench.IQA, 0x60_0000);
        putWait(0, STATUS_WRITE, 6);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(6);
    }

    /** A handler that rings the doorbell from within the completion message gets its own run. */
    @Test
    void shouldSurviveDoorbellFromCompletionHandler() {
        try (Bench fresh = new Bench()) {
            Bench.Cpu[] cpu = new Bench.Cpu[1];
            RemappingUnit unit = new RemappingUnit(RemappingOptions.defaults(), fresh.memory, (address, data) -> {
                cpu[0].store32(Bench.BASE + Bench.ICS, 1);
                cpu[0].store32(Bench.BASE + Bench.IQT, 32);
            });
            cpu[0] = new Bench.Cpu(unit.registers());
            cpu[0].store(Bench.BASE + Bench.IQA, 8, QUEUE);
            cpu[0].store32(Bench.BASE + Bench.GCMD, Bench.QIE);
            cpu[0].store32(Bench.BASE + Bench.IEADDR, 0xFEE0_0000);
            cpu[0].store32(Bench.BASE + Bench.IECTL, 0);
            fresh.memory.writeLong(QUEUE, 5 | INTERRUPT);
            fresh.memory.writeLong(QUEUE + 16, 5 | STATUS_WRITE | 8L << 32);
            fresh.memory.writeLong(QUEUE + 24, STATUS);
            cpu[0].store32(Bench.BASE + Bench.IQT, 16);
            assertThat(fresh.memory.readInt(STATUS)).isEqualTo(8);
            assertThat(cpu[0].load32(Bench.BASE + Bench.IQH)).isEqualTo(32);
        }
    }
}

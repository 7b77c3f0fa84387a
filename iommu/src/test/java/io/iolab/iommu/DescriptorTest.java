package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.spec.Spec;
import io.iolab.iommu.invalidate.InvalidationKind;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every descriptor type on a unit that offers all of them, in queues of both widths: each reserved bit stops the queue, and each valid
 * form passes (VT-d 6.5.2, 7.7).
 */
class DescriptorTest {
    private static final long QUEUE = 0x40_0000;
    private static final long STATUS = 0x50_0000;
    private static final long TYPE_EXTENSION = 0xE00;

    /** Bits of an otherwise valid descriptor that are reserved, but for those that extend the type. */
    enum Type {
        CONTEXT(1 | 1 << 4, 0, 0xFFFC_0000_0000_F1C0L, -1L),
        IOTLB(2 | 1 << 4, 0, 0xFFFF_FFFF_0000_F100L, 0xF80L),
        DEVICE_TLB(3, 0, 0x000F_0000_FFE0_01F0L, 0xFFEL),
        INTERRUPT_ENTRY(4, 0, 0xFFFF_0000_07FF_F1E0L, -1L),
        WAIT(5 | 1 << 5, STATUS, 0xFFFF_F100L, 3L),
        PASID_IOTLB(6 | 2 << 4, 0, 0xFFF0_0000_0000_F1C0L, 0xF80L),
        PASID_CACHE(7 | 1 << 4, 0, 0xFFF0_0000_0000_F1C0L, -1L),
        PASID_DEVICE_TLB(8, 0, 0, 0x7FEL),
        PAGE_GROUP_RESPONSE(9, 0, 0xFFF0_0000_0000_01C0L, ~0xFFCL);

        final long low;
        final long high;
        final long reservedLow;
        final long reservedHigh;

        Type(long low, long high, long reservedLow, long reservedHigh) {
            this.low = low;
            this.high = high;
            this.reservedLow = reservedLow;
            this.reservedHigh = reservedHigh;
        }
    }

    private final Bench bench = new Bench(everything().build());
    private int step = 16;
    private int tail;

    static RemappingOptions.Builder everything() {
        return RemappingOptions.builder()
                .interruptRemapping(true)
                .deviceTlb(true)
                .scalableMode(true)
                .secondLevel(true)
                .pasidBits(20)
                .pageRequests(true);
    }

    @AfterEach
    void release() {
        bench.close();
    }

    private void enable(boolean wide) {
        step = wide ? 32 : 16;
        bench.store64(Bench.IQA, QUEUE | (wide ? 1 << 11 : 0));
        bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.QIE);
    }

    private void submit(long... words) {
        for (int i = 0; i < step / 8; i++) {
            bench.memory.writeLong(QUEUE + tail + 8L * i, i < words.length ? words[i] : 0);
        }
        tail = tail + step & 0xFFF;
        bench.store32(Bench.IQT, tail);
    }

    /** The code of the error, which is repaired by a fence in place of the descriptor; 0 if it passed. */
    private int outcome(long... words) {
        int at = tail;
        submit(words);
        int error = bench.queueError();
        if (error != 0) {
            assertThat(bench.load32(Bench.IQH)).isEqualTo(at);
            for (int i = 0; i < step / 8; i++) {
                bench.memory.writeLong(QUEUE + at + 8L * i, i == 0 ? 5 | 1 << 6 : 0);
            }
        }
        // Nobody has attached a device TLB, so those time out.
        bench.store32(Bench.FSTS, 0x70);
        assertThat(bench.load32(Bench.IQH)).as("repaired").isEqualTo(tail);
        return error;
    }

    @ParameterizedTest
    @EnumSource(Type.class)
    @Spec(id = "Q1.2", section = "VT-d 3.3 6.5.2.1")
    @Spec(id = "Q2.2", section = "VT-d 3.3 6.5.2.3")
    @Spec(id = "Q3.2", section = "VT-d 3.3 6.5.2.5")
    @Spec(id = "Q4.2", section = "VT-d 3.3 6.5.2.7")
    @Spec(id = "Q5.3", section = "VT-d 3.3 6.5.2.8")
    @Spec(id = "Q6.2", section = "VT-d 3.3 6.5.2.4")
    @Spec(id = "Q7.2", section = "VT-d 3.3 6.5.2.2")
    @Spec(id = "Q8.2", section = "VT-d 3.3 6.5.2.6")
    @Spec(id = "Q9.2", section = "VT-d 3.3 7.7")
    @Spec(id = "Q0.5", section = "VT-d 3.3 6.5.2.10")
    void shouldStopOnEachReservedBitAndNoOther(Type type) {
        for (boolean wide : new boolean[] {false, true}) {
            if (wide) {
                bench.store32(Bench.GCMD, 0);
                tail = 0;
                bench.store32(Bench.IQT, 0);
            }
            enable(wide);
            assertThat(outcome(type.low, type.high)).isZero();
            for (int bit = 4; bit < 128; bit++) {
                long low = bit < 64 ? 1L << bit : 0;
                long high = bit < 64 ? 0 : 1L << bit - 64;
                if ((low & TYPE_EXTENSION) != 0) {
                    assertThat(outcome(type.low | low, type.high))
                            .as("bit %d", bit)
                            .isEqualTo(3);
                } else if ((low & type.reservedLow | high & type.reservedHigh) != 0) {
                    assertThat(outcome(type.low | low, type.high | high))
                            .as("bit %d", bit)
                            .isEqualTo(4);
                } else if (bit > 5) {
                    // Setting a bit of a field of several bits may leave its range: granularity, AM, IM.
                    boolean range = (type == Type.INTERRUPT_ENTRY && bit >= 27 && bit < 32)
                            || (type == Type.IOTLB || type == Type.PASID_IOTLB) && bit >= 64 && bit < 70;
                    assertThat(range ? 0 : outcome(type.low | low, type.high | high))
                            .as("bit %d", bit)
                            .isZero();
                }
            }
        }
    }

    /** The upper half of a 256-bit descriptor is reserved, but for private data of a response. */
    @ParameterizedTest
    @EnumSource(Type.class)
    @Spec(id = "Q0.5", section = "VT-d 3.3 6.5.2.10")
    void shouldStopOnUpperHalf(Type type) {
        enable(true);
        assertThat(outcome(type.low, type.high, 1)).isEqualTo(4);
        assertThat(outcome(type.low, type.high, 0, 1L << 63)).isEqualTo(4);
        if (type == Type.PAGE_GROUP_RESPONSE) {
            assertThat(outcome(type.low | 1 << 5, 0, -1, -1)).isZero();
        }
    }

    @Test
    @Spec(id = "Q6.2", section = "VT-d 3.3 6.5.2.4")
    @Spec(id = "Q7.2", section = "VT-d 3.3 6.5.2.2")
    @Spec(id = "Q4.2", section = "VT-d 3.3 6.5.2.7")
    @Spec(id = "Q2.2", section = "VT-d 3.3 6.5.2.3")
    void shouldStopOnGranularitiesAndMasksBeyondTheUnit() {
        enable(true);
        int[][] granularities = {{1, 1, 2, 3}, {2, 1, 2, 3}, {6, 2, 3}, {7, 0, 1, 3}};
        for (int[] allowed : granularities) {
            for (int granularity = 0; granularity < 4; granularity++) {
                int wanted = granularity;
                boolean valid = java.util.Arrays.stream(allowed).skip(1).anyMatch(g -> g == wanted);
                assertThat(outcome(allowed[0] | granularity << 4, 0))
                        .as("type %d, G %d", allowed[0], granularity)
                        .isEqualTo(valid ? 0 : 4);
            }
        }
        for (int mask = 0; mask < 64; mask++) {
            int error = mask <= 18 ? 0 : 4;
            assertThat(outcome(2 | 3 << 4, mask)).as("AM %d", mask).isEqualTo(error);
            assertThat(outcome(6 | 3 << 4, mask)).as("AM %d", mask).isEqualTo(error);
        }
        for (int mask = 0; mask < 32; mask++) {
            assertThat(outcome(4 | 1 << 4 | (long) mask << 27, 0))
                    .as("IM %d, MHMV 15", mask)
                    .isEqualTo(mask <= 15 ? 0 : 4);
        }
    }

    @Test
    @Spec(id = "Q10", section = "VT-d 3.3 6.5.2")
    @Spec(id = "Q0.4", section = "VT-d 3.3 6.5.2.10")
    void shouldStopOnEveryTypeThatDoesNotExist() {
        enable(true);
        for (int type = 0; type < 128; type++) {
            long low = type & 0xF | (type & 0x70) << 5;
            if (type == 0 || type > 9) {
                assertThat(outcome(low, 0)).as("type %x", type).isEqualTo(3);
            }
        }
    }

    @Test
    @Spec(id = "Q0.1", section = "VT-d 3.3 10.4.21")
    void shouldStepAndWrapIn32Bytes() {
        enable(true);
        for (int slot = 0; slot < 300; slot++) {
            submit(5 | 1 << 5 | (long) slot << 32, STATUS);
            assertThat(bench.memory.readInt(STATUS)).isEqualTo(slot);
            assertThat(bench.load32(Bench.IQH)).isEqualTo(32 * (slot + 1) % 4096);
        }
    }

    @Test
    @Spec(id = "Q0.7", section = "VT-d 3.3 6.5.2.10")
    void shouldReportTailBetweenWideDescriptors() {
        enable(true);
        bench.store32(Bench.IQT, 16);
        assertThat(bench.queueError()).isEqualTo(6);
        assertThat(bench.load32(Bench.IQH)).isZero();
        bench.store32(Bench.IQT, 0);
        bench.store32(Bench.FSTS, 1 << 4);
        assertThat(bench.load32(Bench.FSTS)).isZero();
    }

    /** Scalable mode takes 256-bit descriptors only. */
    @Test
    @Spec(id = "Q0.6", section = "VT-d 3.3 6.5.2.10")
    void shouldReportNarrowDescriptorsInScalableMode() {
        bench.store64(Bench.RTADDR, Tables.ROOT | 1 << 10);
        bench.store32(Bench.GCMD, Bench.SRTP);
        enable(false);
        submit(5 | 1 << 6);
        assertThat(bench.queueError()).isEqualTo(5);
    }

    @Test
    @Spec(id = "Q0.8", section = "VT-d 3.3 6.5.2.10")
    void shouldReportReservedTableMode() {
        bench.store64(Bench.RTADDR, Tables.ROOT | 2 << 10);
        bench.store32(Bench.GCMD, Bench.SRTP);
        enable(true);
        submit(5 | 1 << 6);
        assertThat(bench.queueError()).isEqualTo(7);
        bench.store64(Bench.RTADDR, Tables.ROOT | 1 << 10);
        bench.store32(Bench.GCMD, Bench.SRTP | Bench.QIE);
        bench.store32(Bench.FSTS, 1 << 4);
        assertThat(bench.load32(Bench.FSTS)).isZero();
        assertThat(bench.load32(Bench.IQH)).isEqualTo(32);
    }

    /** Registers are out of service in scalable mode: granularity 0 is reported. */
    @Test
    @Spec(id = "Q11.3", section = "VT-d 3.3 6.5.1")
    void shouldRefuseRegisterCommandsInScalableMode() {
        bench.store64(Bench.RTADDR, Tables.ROOT | 1 << 10);
        bench.store32(Bench.GCMD, Bench.SRTP);
        bench.store64(Bench.CCMD, 1L << 63 | 1L << 61);
        assertThat(bench.load64(Bench.CCMD) >>> 59).as("ICC, CIRG, CAIG").isEqualTo(0b00100);
        bench.store64(Bench.IOTLB, 1L << 63 | 1L << 60);
        assertThat(bench.load64(Bench.IOTLB) >>> 57).as("IVT, IIRG, IAIG").isEqualTo(0b0001000);
    }

    /** A page-request drain has nothing to wait for: requests are queued at once. */
    @Test
    @Spec(id = "Q5.4", section = "VT-d 3.3 6.5.2.8")
    void shouldTakePageRequestDrain() {
        enable(true);
        submit(5 | 1 << 5 | 1 << 7 | 9L << 32, STATUS);
        assertThat(bench.memory.readInt(STATUS)).isEqualTo(9);
    }

    @Test
    void shouldCountKinds() {
        enable(true);
        for (Type type : Type.values()) {
            outcome(type.low, type.high);
        }
        List<InvalidationKind> once = List.of(
                InvalidationKind.CONTEXT_GLOBAL,
                InvalidationKind.IOTLB_GLOBAL,
                InvalidationKind.INTERRUPT_GLOBAL,
                InvalidationKind.WAIT,
                InvalidationKind.PASID_IOTLB_ALL,
                InvalidationKind.PASID_ONE,
                InvalidationKind.PAGE_GROUP_RESPONSE);
        for (InvalidationKind kind : once) {
            assertThat(bench.unit.counters().queuedInvalidations(kind))
                    .as("%s", kind)
                    .isEqualTo(1);
        }
        assertThat(bench.unit.counters().queuedInvalidations(InvalidationKind.DEVICE_TLB))
                .isEqualTo(2);
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.fault.RegisterFault;
import io.iolab.devices.spec.Spec;
import org.junit.jupiter.api.Test;

/** The global commands of interrupt remapping, and the flushes that pointers may bring (VT-d 10.4.4, 10.4.5, 10.4.29). */
class InterruptCommandTest {
    private static Bench bench() {
        return new Bench(InterruptBench.options().build());
    }

    @Test
    @Spec(id = "G25.1", section = "VT-d 3.3 10.4.4")
    void shouldTurnRemappingOnAndOff() {
        try (InterruptBench at = InterruptBench.plain()) {
            assertThat(at.bench.load32(Bench.GSTS)).isEqualTo(Bench.SIRTP | Bench.IRE);
            at.raise(InterruptBench.RID, 0xFEE0_1000L, 0x41);
            assertThat(at.bench.messages).isEmpty();
            at.command(Bench.IRE, false);
            assertThat(at.bench.load32(Bench.GSTS)).isEqualTo(Bench.SIRTP);
            at.raise(InterruptBench.RID, 0xFEE0_1000L, 0x41);
            assertThat(at.bench.messages).hasSize(1);
        }
    }

    /** Before the first SIRTP there is no table: every index is beyond it. */
    @Test
    @Spec(id = "G24.1", section = "VT-d 3.3 10.4.4")
    void shouldTakeTableOverAtSirtpOnly() {
        try (Bench bench = bench()) {
            bench.store64(Bench.IRTA, InterruptBench.TABLE | 3);
            assertThat(bench.load64(Bench.IRTA)).isEqualTo(InterruptBench.TABLE | 3);
            bench.store32(Bench.GCMD, Bench.IRE);
            bench.memory.writeLong(InterruptBench.TABLE, InterruptBench.fixed(0x40));
            bench.unit.interruptPortFor(1).message(InterruptBench.address(0), 0);
            assertThat(bench.messages).isEmpty();
            assertThat(bench.load32(Bench.FRCD + 12) & 0xFF).isEqualTo(0x21);
            bench.store32(Bench.GCMD, Bench.IRE | Bench.SIRTP);
            assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.IRE | Bench.SIRTP);
            bench.unit.interruptPortFor(1).message(InterruptBench.address(0), 0);
            assertThat(bench.messages).hasSize(1);
            bench.store64(Bench.IRTA, 0x7_0000 | 3);
            bench.unit.interruptPortFor(1).message(InterruptBench.address(0), 0);
            assertThat(bench.messages).hasSize(2);
        }
    }

    @Test
    @Spec(id = "G24.2", section = "VT-d 3.3 10.4.4")
    void shouldFlushInterruptEntriesAtSirtpOnlyWithEsirtps() {
        for (boolean flushes : new boolean[] {false, true}) {
            try (InterruptBench at = new InterruptBench(
                    InterruptBench.options().setInterruptTableFlushes(flushes).build(), false)) {
                at.entry(1, InterruptBench.fixed(0x40), 0);
                at.raise(1);
                at.entry(1, InterruptBench.fixed(0x50), 0);
                at.command(Bench.SIRTP, true);
                at.raise(1);
                assertThat(at.bench.messages.getLast().data() & 0xFF).isEqualTo(flushes ? 0x50 : 0x40);
            }
        }
    }

    @Test
    @Spec(id = "G30.2", section = "VT-d 3.3 10.4.4")
    void shouldFlushTranslationCachesAtSrtpWithEsrtps() {
        try (Bench bench =
                Tables.bench(RemappingOptions.builder().setRootFlushes(true).build())) {
            byte[] bytes = new byte[1];
            assertThat(bench.unit.portFor(Tables.RID).read(Tables.IOVA, bytes, 0, 1, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NONE);
            bench.store64(Bench.RTADDR, 0x3_0000);
            bench.store32(Bench.GCMD, Bench.TE | Bench.SRTP);
            assertThat(bench.unit.portFor(Tables.RID).read(Tables.IOVA, bytes, 0, 1, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NOT_MAPPED);
        }
    }

    @Test
    @Spec(id = "G23", section = "VT-d 3.3 10.4.4")
    void shouldFollowCompatibilityFormatCommand() {
        try (Bench bench = bench()) {
            bench.store32(Bench.GCMD, Bench.CFI);
            assertThat(bench.load32(Bench.GSTS)).isEqualTo(Bench.CFI);
            bench.store32(Bench.GCMD, 0);
            assertThat(bench.load32(Bench.GSTS)).isZero();
        }
    }

    /** GSTS written back as it was read repeats SRTP and SIRTP: the pending values are taken over. */
    @Test
    @Spec(id = "G0.2", section = "VT-d 3.3 10.4.4")
    void shouldRepeatOneShotsThatAreWrittenBack() {
        try (InterruptBench at = InterruptBench.plain()) {
            at.bench.store64(Bench.IRTA, 0x7_0000 | 3);
            at.bench.memory.writeLong(0x7_0010, InterruptBench.fixed(0x66));
            at.bench.store32(Bench.GCMD, at.bench.load32(Bench.GSTS));
            at.raise(1);
            assertThat(at.bench.messages).hasSize(1);
        }
    }

    /** Every level bit from 0 to 1 and back, each alone, from every combination of the others: GSTS mirrors it and nothing is misuse. */
    @Test
    @Spec(id = "G31.1", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G25.1", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G23", section = "VT-d 3.3 10.4.4")
    @Spec(id = "G26.1", section = "VT-d 3.3 10.4.4")
    void shouldFollowEverySingleTransition() {
        int[] bits = {Bench.TE, Bench.QIE, Bench.IRE, Bench.CFI};
        for (int others = 0; others < 16; others++) {
            for (int bit : bits) {
                try (Bench bench = bench()) {
                    int state = 0;
                    for (int i = 0; i < 4; i++) {
                        if ((others >>> i & 1) != 0 && bits[i] != bit) {
                            state |= bits[i];
                            bench.store32(Bench.GCMD, state);
                        }
                    }
                    bench.store32(Bench.GCMD, state | bit);
                    assertThat(bench.load32(Bench.GSTS)).isEqualTo(state | bit);
                    bench.store32(Bench.GCMD, state);
                    assertThat(bench.load32(Bench.GSTS)).isEqualTo(state);
                    assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE)).isZero();
                }
            }
        }
    }

    /** Any two bits in one write: both take effect, and the write is misuse. */
    @Test
    @Spec(id = "G0.1", section = "VT-d 3.3 10.4.4")
    void shouldCountEveryPairAsMisuse() {
        int[] bits = {Bench.TE, Bench.SRTP, Bench.QIE, Bench.IRE, Bench.SIRTP, Bench.CFI};
        for (int first : bits) {
            for (int second : bits) {
                if (first != second) {
                    try (Bench bench = bench()) {
                        bench.store32(Bench.GCMD, first | second);
                        assertThat(bench.load32(Bench.GSTS)).isEqualTo(first | second);
                        assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE))
                                .isEqualTo(1);
                    }
                }
            }
        }
    }

    @Test
    @Spec(id = "G25.2", section = "VT-d 3.3 10.4.4")
    void shouldNotRemapOnUnitWithoutIt() {
        try (Bench bench = new Bench()) {
            bench.store64(Bench.IRTA, -1);
            assertThat(bench.load64(Bench.IRTA)).isZero();
            bench.store32(Bench.GCMD, Bench.SIRTP);
            bench.store32(Bench.GCMD, Bench.IRE);
            bench.store32(Bench.GCMD, Bench.CFI);
            assertThat(bench.load32(Bench.GSTS)).isZero();
            assertThat(bench.unit.ignored(RegisterFault.ILLEGAL_STATE)).isEqualTo(3);
            bench.unit.interruptPortFor(1).message(0xFEE0_1000L, 0x41);
            assertThat(bench.messages).hasSize(1);
        }
    }

    /** EIME is a bit of IRTA only where extended interrupt mode exists. */
    @Test
    void shouldKeepWritableBitsOfIrta() {
        try (Bench bench = bench()) {
            bench.store64(Bench.IRTA, -1);
            assertThat(bench.load64(Bench.IRTA)).isEqualTo((1L << 46) - 4096 | 0xF);
        }
        try (Bench bench =
                new Bench(InterruptBench.options().extendedInterruptMode(true).build())) {
            bench.store64(Bench.IRTA, -1);
            assertThat(bench.load64(Bench.IRTA)).isEqualTo((1L << 46) - 4096 | 0x80F);
        }
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.dma.TranslationStatus;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.fault.FaultReason;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Reasons of legacy mode, one table each, and which wins when several apply (VT-d chapter 7). */
class FaultReasonTest {
    private static final long BEYOND = 0x4000_0000L;
    private static final long ABOVE_HAW = 1L << 46;

    /** One way to spoil the tables, and what must come of it. */
    record Case(
            String name,
            int code,
            boolean write,
            boolean qualified,
            DmaFault dmaFault,
            long iova,
            Consumer<Memory> spoil) {
        @Override
        public String toString() {
            return String.format("%x %s", code, name);
        }
    }

    private static Case read(String name, int code, boolean qualified, DmaFault fault, Consumer<Memory> spoil) {
        return new Case(name, code, false, qualified, fault, Tables.IOVA, spoil);
    }

    private static Case write(String name, int code, DmaFault fault, Consumer<Memory> spoil) {
        return new Case(name, code, true, true, fault, Tables.IOVA, spoil);
    }

    private static Case at(long iova, String name, Consumer<Memory> spoil) {
        return new Case(name, 4, false, true, DmaFault.NOT_MAPPED, iova, spoil);
    }

    private static Consumer<Memory> set(long hpa, long value) {
        return memory -> memory.writeLong(hpa, value);
    }

    private static Consumer<Memory> or(long hpa, long bits) {
        return memory -> memory.writeLong(hpa, memory.readLong(hpa) | bits);
    }

    static Stream<Case> cases() {
        return Stream.of(contextCases(), entryCases()).flatMap(cases -> cases);
    }

    private static Stream<Case> contextCases() {
        return Stream.of(
                read("root entry absent", 1, false, DmaFault.NOT_MAPPED, set(Tables.ROOT_ENTRY, 0)),
                read("absent wins over reserved", 1, false, DmaFault.NOT_MAPPED, set(Tables.ROOT_ENTRY, 0xFF0)),
                read("context entry absent", 2, true, DmaFault.NOT_MAPPED, set(Tables.CONTEXT_ENTRY, 0)),
                read("context absent, reserved set", 2, true, DmaFault.NOT_MAPPED, set(Tables.CONTEXT_ENTRY, 0xFF0)),
                read("TT reserved", 3, true, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY, 3 << 2)),
                read("TT=01 without DT", 3, true, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY, 1 << 2)),
                read("AW not in SAGAW", 3, true, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY + 8, 1)),
                read("AW reserved", 3, true, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY + 8, 4)),
                read("top table unreadable", 3, true, DmaFault.BAD_TABLE, set(Tables.CONTEXT_ENTRY, BEYOND | 1)),
                at(1L << 48, "beyond MGAW", memory -> {}),
                at(-4096L, "top page of 64 bits", memory -> {}),
                at(1L << 39, "beyond AW", set(Tables.CONTEXT_ENTRY + 8, Tables.contextHigh(1, Tables.DOMAIN))),
                at(1L << 48, "pass-through beyond MGAW", set(Tables.CONTEXT_ENTRY, 2 << 2 | 1)),
                read("root reserved low", 0xA, false, DmaFault.BAD_TABLE, or(Tables.ROOT_ENTRY, 2)),
                read("root reserved bit 11", 0xA, false, DmaFault.BAD_TABLE, or(Tables.ROOT_ENTRY, 0x800)),
                read("root address above HAW", 0xA, false, DmaFault.BAD_TABLE, or(Tables.ROOT_ENTRY, ABOVE_HAW)),
                read("root reserved high", 0xA, false, DmaFault.BAD_TABLE, set(Tables.ROOT_ENTRY + 8, 1)),
                read("context table unreadable", 9, false, DmaFault.BAD_TABLE, set(Tables.ROOT_ENTRY, BEYOND | 1)),
                read("context reserved low", 0xB, false, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY, 0x10)),
                read("context reserved bit 71", 0xB, false, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY + 8, 0x80)),
                read("context reserved top", 0xB, false, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY + 8, 1L << 63)),
                read("context address above HAW", 0xB, false, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY, ABOVE_HAW)),
                read("reserved wins over invalid", 0xB, false, DmaFault.BAD_TABLE, or(Tables.CONTEXT_ENTRY, 0x1C)));
    }

    private static Stream<Case> entryCases() {
        return Stream.of(
                write("leaf read-only", 5, DmaFault.NO_WRITE, set(Tables.ENTRY1, Tables.PAGE | 1)),
                write("upper level read-only", 5, DmaFault.NO_WRITE, set(Tables.ENTRY3, Tables.LEVEL2 | 1)),
                write("leaf absent", 5, DmaFault.NO_WRITE, set(Tables.ENTRY1, 0)),
                read("leaf write-only", 6, true, DmaFault.NO_READ, set(Tables.ENTRY1, Tables.PAGE | 2)),
                read("leaf absent", 6, true, DmaFault.NO_READ, set(Tables.ENTRY1, 0)),
                read("top level absent", 6, true, DmaFault.NO_READ, set(Tables.ENTRY4, 0)),
                read("denied wins over reserved", 6, true, DmaFault.NO_READ, set(Tables.ENTRY1, 0x802)),
                read("absent wins over unreadable", 6, true, DmaFault.NO_READ, set(Tables.ENTRY2, BEYOND)),
                read("level 3 table unreadable", 7, true, DmaFault.BAD_TABLE, set(Tables.ENTRY4, BEYOND | 3)),
                read("level 1 table unreadable", 7, true, DmaFault.BAD_TABLE, set(Tables.ENTRY2, BEYOND | 3)),
                read("bit 11 in a leaf, SC=0", 0xC, true, DmaFault.BAD_TABLE, or(Tables.ENTRY1, 0x800)),
                read("bit 11 in a table entry", 0xC, true, DmaFault.BAD_TABLE, or(Tables.ENTRY2, 0x800)),
                read("PS at level 4", 0xC, true, DmaFault.BAD_TABLE, or(Tables.ENTRY4, 0x80)),
                read("2 MiB page off its boundary", 0xC, true, DmaFault.BAD_TABLE, set(Tables.ENTRY2, 0x20_1083)),
                read("1 GiB page off its boundary", 0xC, true, DmaFault.BAD_TABLE, set(Tables.ENTRY3, 0x20_0083)),
                read("leaf address above HAW", 0xC, true, DmaFault.BAD_TABLE, or(Tables.ENTRY1, ABOVE_HAW)),
                read("bit 62", 0xC, true, DmaFault.BAD_TABLE, or(Tables.ENTRY1, 1L << 62)),
                read(
                        "page in the interrupt range",
                        0xE,
                        true,
                        DmaFault.BEYOND_MEMORY,
                        set(Tables.ENTRY1, 0xFEE0_0003L)),
                write("top of the interrupt range", 0xE, DmaFault.BEYOND_MEMORY, set(Tables.ENTRY1, 0xFEEF_F003L)),
                read("2 MiB page", 0xE, true, DmaFault.BEYOND_MEMORY, set(Tables.ENTRY2, 0xFEE0_0083L)));
    }

    static DmaFault request(Bench bench, Case test) {
        byte[] buffer = new byte[64];
        return test.write
                ? bench.unit.portFor(Tables.RID).write(test.iova + 0x40, buffer, 0, 64, DmaKind.PAYLOAD)
                : bench.unit.portFor(Tables.RID).read(test.iova + 0x40, buffer, 0, 64, DmaKind.PAYLOAD);
    }

    @ParameterizedTest
    @MethodSource("cases")
    @Spec(id = "T01", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T02", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T03", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T04", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T05", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T06", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T07", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T09", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T0A", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T0B", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T0C", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T0E", section = "VT-d 3.3 7.1.3")
    void shouldRecordReasonSourcePageAndDirection(Case test) {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            test.spoil.accept(bench.memory);

            assertThat(request(bench, test)).isEqualTo(test.dmaFault);

            long high = bench.load64(Bench.FRCD + 8);
            assertThat(high >>> 63).as("F").isEqualTo(1);
            assertThat(high >>> 32 & 0xFF).as("FR").isEqualTo(test.code);
            assertThat(high >>> 62 & 1).as("T1, 1 for a read").isEqualTo(test.write ? 0 : 1);
            assertThat(high >>> 60 & 3).as("AT").isZero();
            assertThat(high & 0xFFFF).as("SID").isEqualTo(Tables.RID);
            assertThat(bench.load64(Bench.FRCD)).as("FI").isEqualTo(test.iova);
            assertThat(bench.load32(Bench.FSTS)).as("PPF, FRI 0").isEqualTo(2);
            FaultReason reason = FaultReason.ofCode(test.code);
            assertThat(reason).isNotNull();
            assertThat(bench.unit.counters().faults(reason)).isEqualTo(1);
            assertThat(bench.unit.countersFor(Tables.RID).faults(reason)).isEqualTo(1);
            assertThat(bench.unit.counters().blocked()).isEqualTo(1);
            assertThat(bench.unit.counters().requests()).isZero();
        }
    }

    /** FPD: qualified faults at or below the entry leave no trace; the others do (VT-d 9.3). */
    @ParameterizedTest
    @MethodSource("cases")
    void shouldSuppressQualifiedFaultsUnderFpd(Case test) {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            test.spoil.accept(bench.memory);
            bench.memory.writeLong(Tables.CONTEXT_ENTRY, bench.memory.readLong(Tables.CONTEXT_ENTRY) | 2);

            assertThat(request(bench, test)).isEqualTo(test.dmaFault);

            assertThat(bench.load64(Bench.FRCD + 8) >>> 63).isEqualTo(test.qualified ? 0 : 1);
            assertThat(bench.load32(Bench.FSTS)).isEqualTo(test.qualified ? 0 : 2);
            assertThat(bench.unit.counters().faultsSuppressed()).isEqualTo(test.qualified ? 1 : 0);
        }
    }

    @Test
    @Spec(id = "T08", section = "VT-d 3.3 7.1.3")
    void shouldReportUnreadableRootTable() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            bench.setRoot(BEYOND);
            assertThat(bench.unit.portFor(1).read(0, new byte[1], 0, 1, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.BAD_TABLE);
            assertThat(bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF).isEqualTo(8);
        }
    }

    /** RTADDR.TTM: only 00 is a mode of this unit. */
    @Test
    void shouldBlockEverythingUnderForeignTableMode() {
        for (int mode = 1; mode <= 3; mode++) {
            try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
                assertThat(bench.unit.portFor(Tables.RID).loadShortAcquire(Tables.IOVA, DmaKind.DESCRIPTOR))
                        .isZero();
                bench.setRoot(Tables.ROOT | (long) mode << 10);
                assertThat(bench.unit.portFor(Tables.RID).loadShortAcquire(Tables.IOVA, DmaKind.DESCRIPTOR))
                        .isEqualTo(DmaFault.BAD_TABLE.asResult());
                assertThat(bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF).isEqualTo(0x30);
            }
        }
    }

    /** A page of 1 GiB around the interrupt range: reaching it beside the range, cached or not, opens no way into it. */
    @Test
    void shouldGuardInterruptRangeInsideCachedLargePage() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            bench.memory.writeLong(Tables.ENTRY3, 0xC000_0083L);
            long base = Tables.IOVA & -(1L << 30);
            RequesterCounters counters = bench.unit.countersFor(Tables.RID);
            byte[] buffer = new byte[4];
            for (long inside : new long[] {0x3EE0_0000L, 0x3EEF_F000L}) {
                for (long beside : new long[] {0, 0x3EDF_F000L, 0x3EF0_0000L}) {
                    bench.unit.portFor(Tables.RID).write(base + beside, buffer, 0, 4, DmaKind.PAYLOAD);
                }
                bench.unit.portFor(Tables.RID).write(base + inside, buffer, 0, 4, DmaKind.PAYLOAD);
            }
            assertThat(counters.unbacked()).as("no memory there").isEqualTo(6);
            assertThat(counters.faults(FaultReason.INTERRUPT_RANGE)).isEqualTo(2);
            assertThat(bench.messages).isEmpty();
        }
    }

    /** Requests that claim to be translated, and requests for a translation, need TT=01 (reason D). */
    @Spec(id = "T0D", section = "VT-d 3.3 7.1.3")
    @ParameterizedTest
    @CsvSource({"0, false", "1, true", "2, false"})
    void shouldBlockTranslatedRequestsWithoutDeviceTlb(int translationType, boolean allowed) {
        try (Bench bench =
                Tables.bench(RemappingOptions.builder().deviceTlb(true).build())) {
            Tables.context(bench.memory, Tables.RID, translationType, 2, Tables.DOMAIN, Tables.LEVEL4);
            TranslationPort port = bench.unit.translationPortFor(Tables.RID);
            TranslationCompletion completion = new TranslationCompletion();
            assertThat(port.translate(Tables.IOVA, TranslationPort.NO_PASID, TranslationPort.WRITE, completion))
                    .isEqualTo(allowed ? TranslationStatus.SUCCESS : TranslationStatus.UNSUPPORTED_REQUEST);
            assertThat(bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF).isEqualTo(allowed ? 0 : 0xD);
            assertThat(bench.load64(Bench.FRCD + 8) >>> 60 & 3).as("AT").isEqualTo(allowed ? 0 : 1);
            bench.store64(Bench.FRCD + 8, 1L << 63);
            assertThat(port.translated().read(Tables.PAGE, new byte[8], 0, 8, DmaKind.PAYLOAD) == DmaFault.NONE)
                    .isEqualTo(allowed);
            int second = allowed ? 0 : 16;
            assertThat(bench.load64(Bench.FRCD + 8 + second) >>> 32 & 0xFF).isEqualTo(allowed ? 0 : 0xD);
            assertThat(bench.load64(Bench.FRCD + 8 + second) >>> 60 & 3)
                    .as("AT")
                    .isEqualTo(allowed ? 0 : 2);
        }
    }

    /** Domain id bits above CAP.ND are reserved. */
    @Test
    void shouldRejectDomainIdBeyondItsWidth() {
        try (Bench bench =
                Tables.bench(RemappingOptions.builder().domainIdBits(8).build())) {
            Tables.context(bench.memory, Tables.RID, 0, 2, 0x100, Tables.LEVEL4);
            bench.unit.portFor(Tables.RID).read(Tables.IOVA, new byte[1], 0, 1, DmaKind.PAYLOAD);
            assertThat(bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF).isEqualTo(0xB);
        }
    }

    /** SLLPS: PS is reserved where the unit does not offer the size. */
    @Test
    void shouldRejectLargePagesThatAreNotOffered() {
        try (Bench bench =
                Tables.bench(RemappingOptions.builder().largePages(false, false).build())) {
            bench.memory.writeLong(Tables.ENTRY2, Tables.PAGE | 0x83);
            bench.unit.portFor(Tables.RID).read(Tables.IOVA, new byte[1], 0, 1, DmaKind.PAYLOAD);
            assertThat(bench.load64(Bench.FRCD + 8) >>> 32 & 0xFF).isEqualTo(0xC);
        }
    }

    /** Bits 6:2, 9:8 and 10 of an entry, 61:52 and 63 are ignored; so is PS at level 1 (VT-d 9.8). */
    @Test
    void shouldIgnoreBitsThatSoftwareOwns() {
        try (Bench bench = Tables.bench(RemappingOptions.defaults())) {
            long ignored = 0xBFF0_0000_0000_077CL;
            for (long entry : new long[] {Tables.ENTRY4, Tables.ENTRY3, Tables.ENTRY2, Tables.ENTRY1}) {
                bench.memory.writeLong(entry, bench.memory.readLong(entry) | ignored);
            }
            bench.memory.writeLong(Tables.ENTRY1, bench.memory.readLong(Tables.ENTRY1) | 0x80);
            bench.memory.writeLong(Tables.CONTEXT_ENTRY + 8, Tables.contextHigh(2, Tables.DOMAIN) | 0x78);
            assertThat(bench.unit.portFor(Tables.RID).read(Tables.IOVA, new byte[1], 0, 1, DmaKind.PAYLOAD))
                    .isEqualTo(DmaFault.NONE);
        }
    }

    /** A zero-length read passes a write-only page with CAP.ZLR, and is a read fault without. */
    @Test
    void shouldLetZeroLengthReadThroughWriteOnlyPage() {
        for (boolean offered : new boolean[] {true, false}) {
            try (Bench bench = Tables.bench(
                    RemappingOptions.builder().zeroLengthReads(offered).build())) {
                bench.memory.writeLong(Tables.ENTRY1, Tables.PAGE | 2);
                assertThat(bench.unit.portFor(Tables.RID).read(Tables.IOVA, new byte[0], 0, 0, DmaKind.PAYLOAD))
                        .isEqualTo(offered ? DmaFault.NONE : DmaFault.NO_READ);
            }
        }
    }
}

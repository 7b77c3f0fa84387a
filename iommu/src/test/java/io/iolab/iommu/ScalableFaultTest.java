package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Memory;
import io.iolab.devices.spec.Spec;
import io.iolab.iommu.fault.FaultReason;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Reasons of scalable mode, one table each, and which wins when several apply (VT-d chapter 7). */
class ScalableFaultTest {
    private static final long BEYOND = 0x4000_0000L;
    private static final long ABOVE_HAW = 1L << 46;
    private static final int READ = TranslationPort.READ;
    private static final int WRITE = TranslationPort.WRITE;
    private static final int EXECUTE = TranslationPort.EXECUTE;
    private static final int PRIVILEGED = TranslationPort.PRIVILEGED;

    /** One way to spoil the tables, the request that notices, and what must come of it. */
    record Case(
            int code,
            String name,
            int type,
            int wanted,
            int pasid,
            long iova,
            Consumer<Memory> spoil,
            boolean coherent) {
        Case with(int pasidOfRequest) {
            return new Case(code, name, type, wanted, pasidOfRequest, iova, spoil, coherent);
        }

        Case at(long iovaOfRequest) {
            return new Case(code, name, type, wanted, pasid, iovaOfRequest, spoil, coherent);
        }

        Case notCoherent() {
            return new Case(code, name, type, wanted, pasid, iova, spoil, false);
        }

        @Override
        public String toString() {
            return String.format("%x %s", code, name);
        }
    }

    private static Case when(int code, String name, int type, int wanted, Consumer<Memory> spoil) {
        return new Case(code, name, type, wanted, ScalableTables.PASID, ScalableTables.IOVA, spoil, true);
    }

    private static Case read(int code, String name, int type, Consumer<Memory> spoil) {
        return when(code, name, type, READ, spoil);
    }

    private static Consumer<Memory> set(long hpa, long value) {
        return memory -> memory.writeLong(hpa, value);
    }

    private static Consumer<Memory> or(long hpa, long bits) {
        return memory -> memory.writeLong(hpa, memory.readLong(hpa) | bits);
    }

    private static Consumer<Memory> clear(long hpa, long bits) {
        return memory -> memory.writeLong(hpa, memory.readLong(hpa) & ~bits);
    }

    static Stream<Case> cases() {
        return Stream.of(structures(), pasids(), firstLevel(), nested(), secondLevel())
                .flatMap(each -> each);
    }

    private static Stream<Case> structures() {
        long context = ScalableTables.CONTEXT_ENTRY;
        int type = ScalableTables.SECOND;
        return Stream.of(
                read(0x39, "LP clear", type, set(ScalableTables.ROOT, 0)),
                read(0x39, "absent wins over reserved", type, set(ScalableTables.ROOT, 0xFF0)),
                read(0x3A, "root reserved bit 1", type, or(ScalableTables.ROOT, 2)),
                read(0x3A, "root address above HAW", type, or(ScalableTables.ROOT, ABOVE_HAW)),
                read(0x40, "context table unreadable", type, set(ScalableTables.ROOT, BEYOND | 1)),
                read(0x41, "context absent", type, clear(context, 1)),
                read(0x42, "context reserved bit 5", type, or(context, 0x20)),
                read(0x42, "context reserved high", type, or(context + 8, 1L << 21)),
                read(0x42, "RID_PRIV not offered", type, or(context + 8, 1L << 20)),
                read(0x42, "context reserved qword 2", type, set(context + 16, 1)),
                read(0x42, "context reserved qword 3", type, set(context + 24, 1L << 63)),
                read(0x43, "PRE without DTE", type, clear(context, 4)),
                read(0x45, "PASIDE clear", type, clear(context, 8)),
                read(0x46, "PASID beyond 128 times 64", type, set(0, 0)).with(1 << 13),
                read(0x48, "RID_PASID beyond the directory", type, set(context + 8, 1 << 13))
                        .with(-1));
    }

    private static Stream<Case> pasids() {
        long entry = ScalableTables.ENTRY;
        int type = ScalableTables.SECOND;
        return Stream.of(
                read(0x50, "directory unreadable", type, set(ScalableTables.CONTEXT_ENTRY, BEYOND | 0x1D)),
                read(0x51, "directory entry absent", type, clear(ScalableTables.DIRECTORY, 1)),
                read(0x52, "directory reserved bit 2", type, or(ScalableTables.DIRECTORY, 4)),
                read(0x58, "PASID table unreadable", type, set(ScalableTables.DIRECTORY, BEYOND | 1)),
                read(0x59, "PASID entry absent", type, clear(entry, 1)),
                read(0x59, "RID_PASID's entry absent", type, clear(ScalableTables.RID_ENTRY, 1))
                        .with(-1),
                read(0x5A, "PASID entry bit 10", type, or(entry, 0x400)),
                read(0x5A, "PASID entry qword 1", type, or(entry + 8, 1 << 16)),
                read(0x5A, "PGSNP without SC", type, or(entry + 8, 1 << 24)),
                read(0x5A, "PASID entry qword 7", type, set(entry + 56, 1)),
                read(0x5B, "PGTT 0", type, clear(entry, 0x1C0)),
                read(0x5B, "AW 4", type, memory -> memory.writeLong(entry, memory.readLong(entry) & ~0x1C | 4 << 2)),
                read(0x5B, "FLPM 2", ScalableTables.FIRST, or(entry + 16, 2 << 2)),
                when(0x5C, "ERE clear", type, READ | EXECUTE, clear(entry + 16, 2)),
                when(0x5D, "SRE clear", type, READ | PRIVILEGED, clear(entry + 16, 1)));
    }

    private static Stream<Case> firstLevel() {
        int type = ScalableTables.FIRST;
        long leaf = ScalableTables.FIRST_LEAF;
        return Stream.of(
                read(0x70, "table unreadable", type, set(ScalableTables.FIRST_MIDDLE, BEYOND | 7)),
                read(0x71, "leaf absent", type, clear(leaf, 1)),
                read(0x71, "absent wins over reserved", type, set(leaf, 1L << 51)),
                read(0x72, "address above HAW", type, or(leaf, ABOVE_HAW)),
                read(0x72, "PS at level 4", type, or(ScalableTables.FIRST_TOP, 0x80)),
                read(0x72, "2 MiB page off its boundary", type, set(ScalableTables.FIRST_MIDDLE, 0x20_4087)),
                read(0x73, "top table unreadable", type, set(ScalableTables.ENTRY + 16, BEYOND | 0x33)),
                read(0x80, "bit 48 alone", type, set(0, 0)).at(1L << 48),
                read(0x80, "upper half without bit 63", type, set(0, 0)).at(0x7FFF_8000_0000_0000L),
                when(0x81, "supervisor page", type, READ, clear(leaf, 4)),
                when(0x81, "U/S wins over R/W", type, WRITE, clear(leaf, 6)),
                when(0x82, "XD in a leaf", type, READ | EXECUTE, or(leaf, 1L << 63)),
                when(0x82, "XD above", type, READ | EXECUTE, or(ScalableTables.FIRST_TOP, 1L << 63)),
                when(0x85, "R/W clear", type, WRITE, clear(leaf, 2)),
                when(0x85, "R/W clear above", type, WRITE, clear(ScalableTables.FIRST_MIDDLE, 2)),
                when(0x85, "supervisor with WPE", type, WRITE | PRIVILEGED, clear(leaf, 2)),
                read(0x87, "page in the interrupt range", type, set(leaf, 0xFEE0_0007L)),
                read(0x90, "A clear, no snooping", type, set(0, 0)).notCoherent());
    }

    private static Stream<Case> nested() {
        int type = ScalableTables.NESTED;
        long tables = ScalableTables.IDENTITY_TABLES;
        return Stream.of(
                read(0x74, "leaf beyond the second level", type, set(ScalableTables.FIRST_LEAF, 1L << 48 | 7)),
                read(0x74, "table beyond it", type, set(ScalableTables.FIRST_MIDDLE, 1L << 48 | 7)),
                read(0x75, "top table not readable", type, clear(tables, 1)),
                read(0x76, "lower table not readable", type, set(ScalableTables.FIRST_TOP, 0x40_0007)),
                read(0x77, "A needs a write", type, clear(tables, 2)),
                read(0x78, "second-level table unreadable", type, set(tables - 0x1000, BEYOND | 3)),
                read(0x79, "page not readable", type, clear(ScalableTables.IDENTITY_PAGE, 1)),
                when(0x79, "page not writable", type, WRITE, clear(ScalableTables.IDENTITY_PAGE, 2)),
                read(0x7A, "second-level reserved", type, or(ScalableTables.IDENTITY_PAGE, 0x1000)),
                when(0x85, "first level denies before second", type, WRITE, memory -> {
                    clear(ScalableTables.FIRST_LEAF, 2).accept(memory);
                    clear(ScalableTables.IDENTITY_PAGE, 2).accept(memory);
                }));
    }

    private static Stream<Case> secondLevel() {
        int type = ScalableTables.SECOND;
        long leaf = ScalableTables.SECOND_LEAF;
        return Stream.of(
                read(0x78, "table unreadable", type, set(ScalableTables.SECOND_TOP, BEYOND | 3)),
                read(0x7A, "bit 11, SC=0", type, or(leaf, 0x800)),
                read(0x7A, "bit 62", type, or(leaf, 1L << 62)),
                read(0x7B, "SLPTPTR unreadable", type, set(ScalableTables.ENTRY, BEYOND | 0x89)),
                read(0x7C, "A clear, no snooping", type, or(ScalableTables.ENTRY, 1 << 9))
                        .notCoherent(),
                read(0x84, "beyond AW", type, set(0, 0)).at(1L << 48),
                read(0x84, "pass-through beyond MGAW", ScalableTables.PASS, set(0, 0))
                        .at(1L << 57),
                when(0x85, "leaf read-only", type, WRITE, clear(leaf, 2)),
                read(0x86, "leaf absent", type, set(leaf, 0)),
                read(0x86, "leaf write-only", type, clear(leaf, 1)),
                read(0x87, "page in the interrupt range", type, set(leaf, 0xFEE0_0003L)));
    }

    static DmaFault request(Bench bench, Case test) {
        TranslationPort requester = bench.unit.translationPortFor(ScalableTables.RID);
        DmaPort port = test.pasid < 0
                ? requester.untranslated()
                : requester.withPasid(test.pasid, test.wanted & (EXECUTE | PRIVILEGED));
        return (test.wanted & WRITE) != 0
                ? port.write(test.iova + 0x40, new byte[64], 0, 64, DmaKind.PAYLOAD)
                : port.read(test.iova + 0x40, new byte[64], 0, 64, DmaKind.PAYLOAD);
    }

    @Spec(id = "T39", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T3A", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T40", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T41", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T42", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T43", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T45", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T46", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T48", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T50", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T51", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T52", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T58", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T59", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T5A", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T5B", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T5C", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T5D", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T70", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T71", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T72", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T73", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T74", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T75", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T76", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T77", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T78", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T79", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T7A", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T7B", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T7C", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T80", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T81", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T82", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T84", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T85", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T86", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T87", section = "VT-d 3.3 7.1.3")
    @Spec(id = "T90", section = "VT-d 3.3 7.1.3")
    @ParameterizedTest
    @MethodSource("cases")
    void shouldRecordReasonSourcePasidAndPage(Case test) {
        RemappingOptions options =
                ScalableTables.options().walkSnoop(test.coherent).build();
        try (Bench bench = ScalableTables.bench(options, test.type)) {
            test.spoil.accept(bench.memory);

            DmaFault seen = request(bench, test);

            long high = bench.load64(Bench.FRCD + 8);
            assertThat(high >>> 63).as("F").isEqualTo(1);
            assertThat(high >>> 32 & 0xFF).as("FR").isEqualTo(test.code);
            assertThat(high >>> 62 & 1).as("T1, 1 for a read").isEqualTo((test.wanted & WRITE) != 0 ? 0 : 1);
            assertThat(high & 0xFFFF).as("SID").isEqualTo(ScalableTables.RID);
            assertThat(high >>> 31 & 1).as("PP").isEqualTo(test.pasid < 0 ? 0 : 1);
            assertThat(high >>> 40 & 0xF_FFFF).as("PV").isEqualTo(Math.max(0, test.pasid));
            assertThat(high >>> 30 & 1).as("EXE").isEqualTo((test.wanted & EXECUTE) != 0 ? 1 : 0);
            assertThat(high >>> 29 & 1).as("PRIV").isEqualTo((test.wanted & PRIVILEGED) != 0 ? 1 : 0);
            assertThat(bench.load64(Bench.FRCD)).as("FI").isEqualTo(test.iova);
            FaultReason reason = Objects.requireNonNull(FaultReason.ofCode(test.code));
            assertThat(seen).isEqualTo(reason.dmaFault());
        }
    }

    /** FPD in the context, directory or PASID entry silences what is found at or below it (VT-d 7.1). */
    @ParameterizedTest
    @MethodSource("cases")
    void shouldKeepQualifiedReasonsQuietWithFaultProcessingDisabled(Case test) {
        RemappingOptions options =
                ScalableTables.options().walkSnoop(test.coherent).build();
        try (Bench bench = ScalableTables.bench(options, test.type)) {
            test.spoil.accept(bench.memory);
            or(ScalableTables.CONTEXT_ENTRY, 2).accept(bench.memory);

            assertThat(request(bench, test)).isNotEqualTo(DmaFault.NONE);

            boolean qualified = test.code > 0x40 && test.code != 0x50 && test.code != 0x58;
            assertThat(bench.load64(Bench.FRCD + 8) >>> 63).as("F").isEqualTo(qualified ? 0 : 1);
        }
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.TranslationCompletion;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.memory.ForwardingMemory;
import io.iolab.devices.memory.Memory;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.driver.IommuDriver;
import io.iolab.iommu.explain.TableExplainer;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.walk.RequestType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every reason that a unit can record (VT-d 7.1.3) is explained: what is told of the record, from the tables alone, ends in the same
 * reason, and says what decided.
 */
class FaultExplanationTest {
    private static final int RID = Tables.RID;
    private static final int NO_PASID = TranslationPort.NO_PASID;
    private static final long NOWHERE = 0x4000_0000L;

    /** A way to a fault record, from a bench that is made for it. */
    private record Provocation(
            int code, String name, RemappingOptions options, RequestType type, Consumer<Bench> provoke) {
        Provocation(int code, String name, RemappingOptions options, Consumer<Bench> provoke) {
            this(code, name, options, RequestType.UNTRANSLATED, provoke);
        }

        @Override
        public String toString() {
            return String.format("%x %s", code, name);
        }
    }

    static Stream<Provocation> provocations() {
        return Stream.of(legacy(), scalable(), modes(), services(), interrupts(), messages())
                .flatMap(each -> each);
    }

    private static Stream<Provocation> legacy() {
        RemappingOptions options = RemappingOptions.defaults();
        return FaultReasonTest.cases()
                .map(test -> new Provocation(test.code(), test.name(), options, bench -> {
                    legacyTables(bench);
                    test.spoil().accept(bench.memory);
                    FaultReasonTest.request(bench, test);
                }));
    }

    private static Stream<Provocation> scalable() {
        return ScalableFaultTest.cases().map(test -> {
            RemappingOptions options =
                    ScalableTables.options().walkSnoop(test.coherent()).build();
            return new Provocation(test.code(), test.name(), options, bench -> {
                scalableTables(bench, test.type());
                test.spoil().accept(bench.memory);
                ScalableFaultTest.request(bench, test);
            });
        });
    }

    private static void legacyTables(Bench bench) {
        Tables.build(bench.memory);
        bench.setRoot(Tables.ROOT);
        bench.translation(true);
    }

    private static void scalableTables(Bench bench, int type) {
        ScalableTables.build(bench.memory, type);
        bench.setRoot(ScalableTables.ROOT | 1 << 10);
        bench.translation(true);
    }

    private static void read(Bench bench, long iova) {
        bench.unit.portFor(RID).read(iova, new byte[8], 0, 8, DmaKind.PAYLOAD);
    }

    private static Stream<Provocation> modes() {
        RemappingOptions plain = RemappingOptions.defaults();
        RemappingOptions all = ScalableTables.options().build();
        return Stream.of(
                new Provocation(8, "root table unreadable", plain, bench -> {
                    bench.setRoot(NOWHERE);
                    bench.translation(true);
                    read(bench, 0);
                }),
                new Provocation(0x30, "TTM 2", all, bench -> {
                    bench.setRoot(Tables.ROOT | 2 << 10);
                    bench.translation(true);
                    read(bench, 0);
                }),
                new Provocation(0x30, "TTM 3, not offered", plain, bench -> {
                    bench.setRoot(Tables.ROOT | 3 << 10);
                    bench.translation(true);
                    read(bench, 0);
                }),
                new Provocation(
                        0x33, "TTM 3", RemappingOptions.builder().abortDma(true).build(), bench -> {
                            bench.setRoot(Tables.ROOT | 3 << 10);
                            bench.translation(true);
                            read(bench, 0);
                        }),
                new Provocation(0x31, "PASID, legacy tables", all, bench -> {
                    legacyTables(bench);
                    bench.unit.translationPortFor(RID).withPasid(5, 0).read(0, new byte[8], 0, 8, DmaKind.PAYLOAD);
                }),
                new Provocation(0x38, "root table unreadable", all, bench -> {
                    bench.setRoot(NOWHERE | 1 << 10);
                    bench.translation(true);
                    read(bench, 0);
                }),
                new Provocation(
                        0x83,
                        "beyond the hardware",
                        ScalableTables.options().guestAddressWidth(48).build(),
                        bench -> {
                            scalableTables(bench, ScalableTables.FIRST);
                            bench.memory.writeLong(ScalableTables.ENTRY + 16, ScalableTables.FIRST4 | 0x37);
                            bench.unit
                                    .translationPortFor(RID)
                                    .withPasid(5, 0)
                                    .read(1L << 50, new byte[8], 0, 8, DmaKind.PAYLOAD);
                        }));
    }

    private static Stream<Provocation> services() {
        RemappingOptions all = ScalableTables.options().build();
        RemappingOptions plain =
                RemappingOptions.builder().deviceTlb(true).pageRequests(true).build();
        Consumer<Bench> translate = bench -> bench.unit
                .translationPortFor(RID)
                .translate(Tables.IOVA, NO_PASID, TranslationPort.READ, new TranslationCompletion());
        Consumer<Bench> translated = bench ->
                bench.unit.translationPortFor(RID).translated().read(Tables.PAGE, new byte[8], 0, 8, DmaKind.PAYLOAD);
        Consumer<Bench> forged = bench ->
                bench.unit.translationPortFor(RID).translated().read(0xFEE0_0000L, new byte[8], 0, 8, DmaKind.PAYLOAD);
        Consumer<Bench> ask = bench ->
                bench.unit.translationPortFor(RID).requestPage(Tables.IOVA, NO_PASID, TranslationPort.READ, 9, true);
        Consumer<Bench> noServices = bench -> {
            scalableTables(bench, ScalableTables.SECOND);
            // DTE and PRE.
            bench.memory.writeLong(
                    ScalableTables.CONTEXT_ENTRY, bench.memory.readLong(ScalableTables.CONTEXT_ENTRY) & ~0x14);
        };
        Consumer<Bench> noPageRequests = bench -> {
            scalableTables(bench, ScalableTables.SECOND);
            bench.memory.writeLong(
                    ScalableTables.CONTEXT_ENTRY, bench.memory.readLong(ScalableTables.CONTEXT_ENTRY) & ~0x10);
        };
        Consumer<Bench> legacy = FaultExplanationTest::legacyTables;
        RequestType asking = RequestType.TRANSLATION_REQUEST;
        RequestType claiming = RequestType.TRANSLATED;
        return Stream.of(
                new Provocation(0xD, "translation request", plain, asking, legacy.andThen(translate)),
                new Provocation(0xD, "translated request", plain, claiming, legacy.andThen(translated)),
                new Provocation(0xE, "translated, a message", plain, claiming, legacy.andThen(forged)),
                new Provocation(0x32, "page request", plain, legacy.andThen(ask)),
                new Provocation(0x44, "translation request", all, asking, noServices.andThen(translate)),
                new Provocation(0x44, "translated request", all, claiming, noServices.andThen(translated)),
                new Provocation(0x47, "page request", all, noPageRequests.andThen(ask)));
    }

    private static Stream<Provocation> interrupts() {
        long nowhere = 12 << 20;
        long descriptor = 0x8_0000;
        return Stream.of(
                interrupt(0x22, "absent", bench -> {}, at(3)),
                interrupt(0x23, "table unreadable", bench -> remap(bench, nowhere | 3), at(3)),
                interrupt(0x24, "reserved", entry(InterruptBench.fixed(0x40) | 1 << 12, 0), at(3)),
                interrupt(0x26, "wrong source", entry(InterruptBench.fixed(0x40), 1 << 18 | 0x28), at(3)),
                interrupt(0x27, "descriptor unreadable", entry(nowhere << 32 | InterruptBench.POSTED | 1, 0), at(3)),
                interrupt(
                        0x28,
                        "descriptor reserved",
                        entry(descriptor << 32 | InterruptBench.POSTED | 1, 0)
                                .andThen(bench -> bench.memory.writeLong(descriptor + 40, 1)),
                        at(3)));
    }

    private static Stream<Provocation> messages() {
        Consumer<Bench> good = entry(InterruptBench.fixed(0x40), 0);
        return Stream.of(
                interrupt(0x20, "reserved data", good, message(InterruptBench.address(3), 1 << 16)),
                interrupt(0x21, "beyond the table", good, at(InterruptBench.ENTRIES)),
                interrupt(
                        0x21,
                        "beyond any table",
                        bench -> remap(bench, InterruptBench.TABLE | 15),
                        message(InterruptBench.address(0xFFFF) | 1 << 3, 5)),
                interrupt(0x25, "old format", good, message(0xFEE0_1000L, 0x41)),
                interrupt(
                        0x29,
                        "with PASID",
                        good,
                        bench -> bench.unit.interruptPortFor(RID).messageWithPasid()));
    }

    private static Provocation interrupt(int code, String name, Consumer<Bench> build, Consumer<Bench> send) {
        return new Provocation(code, name, InterruptBench.options().build(), bench -> {
            remap(bench, InterruptBench.TABLE | InterruptBench.SIZE);
            bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.IRE);
            build.accept(bench);
            send.accept(bench);
        });
    }

    private static void remap(Bench bench, long irta) {
        bench.store64(Bench.IRTA, irta);
        bench.store32(Bench.GCMD, bench.load32(Bench.GSTS) & 0x96FF_FFFF | Bench.SIRTP);
    }

    private static Consumer<Bench> entry(long low, long high) {
        return bench -> {
            bench.memory.writeLong(InterruptBench.TABLE + 16 * 3 + 8, high);
            bench.memory.writeLong(InterruptBench.TABLE + 16 * 3, low);
        };
    }

    private static Consumer<Bench> at(int index) {
        return message(InterruptBench.address(index), 0);
    }

    private static Consumer<Bench> message(long address, int data) {
        byte[] bytes = {(byte) data, (byte) (data >>> 8), (byte) (data >>> 16), (byte) (data >>> 24)};
        return bench -> bench.unit.portFor(RID).write(address, bytes, 0, 4, DmaKind.MESSAGE);
    }

    private static List<FaultReport> reports(Bench bench) {
        List<FaultReport> reports = new ArrayList<>();
        new IommuDriver(bench.cpu, Bench.BASE, bench.memory, bench.frames).handleFaults(reports::add);
        return reports;
    }

    @ParameterizedTest
    @MethodSource("provocations")
    void shouldTellTheReasonThatTheUnitRecorded(Provocation provocation) {
        try (Bench bench = new Bench(provocation.options)) {
            provocation.provoke.accept(bench);

            List<FaultReport> reports = reports(bench);
            assertThat(reports).hasSize(1);
            FaultReport report = reports.getFirst();
            assertThat(report.reasonCode()).as("what this provokes").isEqualTo(provocation.code);
            TableWalk walk = new TableExplainer(bench.memory, provocation.options.capabilities())
                    .fault(bench.unit.registers(), report, provocation.type);
            assertThat(walk.reason()).as(walk.decision()).isEqualTo(report.reason());
            assertThat(walk.decision()).isNotBlank();
            assertThat(walk.hpa()).isEqualTo(-1);
        }
    }

    /** Reason 91: the entry that is there later is a good one, so only the record can tell (VT-d 3.6.3). */
    @Test
    void shouldTellOfAnUpdateThatSoftwareOvertook() {
        try (Bench bench = new Bench()) {
            Memory interfering = new ForwardingMemory(bench.memory) {
                @Override
                public boolean compareAndSetLong(long pa, long expected, long value) {
                    super.writeLong(pa, super.readLong(pa) ^ 0x1000);
                    return super.compareAndSetLong(pa, expected, value);
                }
            };
            RemappingOptions options = ScalableTables.options().build();
            ScalableTables.build(bench.memory, ScalableTables.FIRST);
            RemappingUnit unit = new RemappingUnit(options, interfering, (address, data) -> {});
            Bench.Cpu cpu = new Bench.Cpu(unit.registers());
            cpu.store(Bench.BASE + Bench.RTADDR, 8, ScalableTables.ROOT | 1 << 10);
            cpu.store32(Bench.BASE + Bench.GCMD, Bench.SRTP);
            cpu.store32(Bench.BASE + Bench.GCMD, Bench.TE);
            unit.translationPortFor(RID)
                    .withPasid(ScalableTables.PASID, 0)
                    .read(ScalableTables.IOVA, new byte[8], 0, 8, DmaKind.PAYLOAD);
            List<FaultReport> reports = new ArrayList<>();
            new IommuDriver(cpu, Bench.BASE, bench.memory, bench.frames).handleFaults(reports::add);
            assertThat(reports).extracting(FaultReport::reasonCode).containsExactly(0x91);

            TableWalk walk = new TableExplainer(bench.memory, options.capabilities())
                    .fault(unit.registers(), reports.getFirst(), RequestType.UNTRANSLATED);

            assertThat(walk.reason()).isEqualTo(FaultReason.ACCESSED_DIRTY_FAILED);
            assertThat(walk.decision()).startsWith("an entry was changed");
            assertThat(walk.hpa()).isEqualTo(-1);
        }
    }

    @Test
    @DisplayName("no reason is without a test here")
    void shouldCoverEveryReason() {
        Set<FaultReason> covered = EnumSet.of(FaultReason.ACCESSED_DIRTY_FAILED);
        provocations().map(each -> FaultReason.ofCode(each.code)).forEach(covered::add);
        Set<FaultReason> missing = EnumSet.allOf(FaultReason.class);
        missing.removeAll(covered);

        assertThat(missing).isEmpty();
        assertThat(Arrays.stream(FaultReason.values()).map(FaultReason::code)).doesNotHaveDuplicates();
    }
}

package io.iolab.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.dma.DmaPort;
import io.iolab.devices.dma.TranslationPort;
import io.iolab.devices.fault.DmaFault;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableExplainer;
import io.iolab.iommu.explain.TableField;
import io.iolab.iommu.explain.TableStep;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.table.PasidEntry;
import io.iolab.iommu.walk.RequestType;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is told of a walk is what the tables say (VT-d 9.1 to 9.8), and what the unit does. */
class TableExplainerTest {
    private static final int RID = ScalableTables.RID;
    private static final int LEGACY = 0;
    private static final long ROOT = 0x1_0000;
    private static final long CONTEXT = 0x1_1000;
    private static final long TOP = 0x1_4000;
    private static final long PAGE = 0x20_0000;

    /** Indices 1, 2, 3, 4 from the top, byte 0x567 of the page. */
    private static final long IOVA = 1L << 39 | 2L << 30 | 3L << 21 | 4L << 12 | 0x567;

    private static void legacyTables(Bench bench) {
        bench.memory.writeLong(ROOT, CONTEXT | 1);
        bench.memory.writeLong(CONTEXT + 16 * 0x20, TOP | 1);
        bench.memory.writeLong(CONTEXT + 16 * 0x20 + 8, 5 << 8 | 2);
        for (int level = 0; level < 3; level++) {
            bench.memory.writeLong(TOP + 0x1000L * level + 8 * (level + 1), TOP + 0x1000L * (level + 1) | 3);
        }
        bench.memory.writeLong(TOP + 0x3000 + 32, PAGE | 1);
    }

    private static TableWalk explain(Bench bench, RemappingOptions options, WalkRequest request) {
        return new TableExplainer(bench.memory, options.capabilities()).explain(bench.unit.registers(), request);
    }

    @Test
    @DisplayName(
            "a legacy walk: root, context and four second-level entries, each with its fields (VT-d 9.1, 9.3, 9.8)")
    void shouldTellEveryEntryOfAKnownTable() {
        try (Bench bench = new Bench()) {
            legacyTables(bench);
            bench.setRoot(ROOT);
            TableWalk walk = explain(bench, RemappingOptions.defaults(), new WalkRequest(RID, IOVA, Access.READ));

            assertThat(walk.mode()).isEqualTo("legacy");
            assertThat(walk.rootHpa()).isEqualTo(ROOT);
            assertThat(walk.steps())
                    .extracting(TableStep::structure, TableStep::tableHpa, TableStep::index, TableStep::entryHpa)
                    .containsExactly(
                            tuple("root entry", ROOT, 0, ROOT),
                            tuple("context entry", CONTEXT, 0x20, CONTEXT + 0x200),
                            tuple("second-level entry, level 4", TOP, 1, TOP + 8),
                            tuple("second-level entry, level 3", TOP + 0x1000, 2, TOP + 0x1010),
                            tuple("second-level entry, level 2", TOP + 0x2000, 3, TOP + 0x2018),
                            tuple("second-level entry, level 1", TOP + 0x3000, 4, TOP + 0x3020));
            assertThat(walk.steps().get(1).words()).containsExactly(TOP | 1, 0x502L);
            assertThat(walk.steps().get(1).fields())
                    .extracting(TableField::name, TableField::bits, TableField::value)
                    .containsExactly(
                            tuple("P", "0", 1L),
                            tuple("FPD", "1", 0L),
                            tuple("TT", "3:2", 0L),
                            tuple("SLPTPTR", "63:12", TOP),
                            tuple("AW", "66:64", 2L),
                            tuple("DID", "87:72", 5L));
            assertThat(walk.reason()).isNull();
            assertThat(walk.hpa()).isEqualTo(PAGE | 0x567);
            assertThat(walk.pageShift()).isEqualTo(12);
        }
    }

    @Test
    @DisplayName("the bit that decided: W of the leaf, reason 5 (VT-d 9.8)")
    void shouldNameTheBitThatDecided() {
        try (Bench bench = new Bench()) {
            legacyTables(bench);
            bench.setRoot(ROOT);
            TableWalk walk = explain(bench, RemappingOptions.defaults(), new WalkRequest(RID, IOVA, Access.WRITE));

            assertThat(walk.reason()).isEqualTo(FaultReason.WRITE_DENIED);
            assertThat(walk.decision()).isEqualTo("second-level entry, level 1: W (bit 1) is 0");
            assertThat(walk.steps().getLast().reason()).isEqualTo(FaultReason.WRITE_DENIED);
            assertThat(walk.hpa()).isEqualTo(-1);
        }
    }

    @Test
    @DisplayName("a translated request ends at the context entry: TT=00b blocks it (VT-d 9.3, reason 0xD)")
    void shouldJudgeTranslatedRequestsByTheContextEntry() {
        try (Bench bench = new Bench()) {
            legacyTables(bench);
            bench.setRoot(ROOT);
            WalkRequest request = new WalkRequest(RID, FaultReport.NO_PASID, PAGE, Access.READ, RequestType.TRANSLATED);
            TableWalk walk = explain(bench, RemappingOptions.defaults(), request);

            assertThat(walk.reason()).isEqualTo(FaultReason.REQUEST_TYPE_BLOCKED);
            assertThat(walk.steps()).hasSize(2);
        }
    }

    @Test
    @DisplayName("a nested walk: each first-level entry is found through the second level (VT-d 3.8)")
    void shouldTellTheSecondLevelOfANestedWalk() {
        RemappingOptions options = ScalableTables.options().build();
        try (Bench bench = ScalableTables.bench(options, PasidEntry.TYPE_NESTED)) {
            TableWalk walk = explain(
                    bench,
                    options,
                    new WalkRequest(
                            RID, ScalableTables.PASID, ScalableTables.IOVA, Access.READ, RequestType.UNTRANSLATED));

            assertThat(walk.mode()).isEqualTo("scalable");
            assertThat(walk.reason()).as(walk.decision()).isNull();
            assertThat(walk.hpa()).isEqualTo(ScalableTables.PAGE);
            assertThat(walk.steps())
                    .as("4 structures, 4 first-level entries with 3 second-level ones each, 3 for the page")
                    .hasSize(4 + 4 * (3 + 1) + 3);
        }
    }

    /** Entries in which a random bit is worth turning. */
    private static long victim(SplittableRandom random, int type) {
        long[] legacy = {
            ROOT, ROOT + 8, CONTEXT + 0x200, CONTEXT + 0x208, TOP + 8, TOP + 0x1010, TOP + 0x2018, TOP + 0x3020
        };
        long[] scalable = {
            ScalableTables.ROOT,
            ScalableTables.CONTEXT_ENTRY,
            ScalableTables.CONTEXT_ENTRY + 8,
            ScalableTables.CONTEXT_ENTRY + 16,
            ScalableTables.DIRECTORY,
            ScalableTables.ENTRY,
            ScalableTables.ENTRY + 8,
            ScalableTables.ENTRY + 16,
            ScalableTables.ENTRY + 32,
            ScalableTables.RID_ENTRY,
            ScalableTables.RID_ENTRY + 16,
            ScalableTables.SECOND_TOP,
            ScalableTables.SECOND_LEAF,
            ScalableTables.FIRST_TOP,
            ScalableTables.FIRST_MIDDLE,
            ScalableTables.FIRST_LEAF,
            ScalableTables.IDENTITY_TABLES,
            ScalableTables.IDENTITY_PAGE
        };
        long[] all = type == LEGACY ? legacy : scalable;
        return all[random.nextInt(all.length)];
    }

    @ParameterizedTest(name = "PGTT {0}, 0 for legacy mode")
    @ValueSource(
            ints = {
                LEGACY,
                PasidEntry.TYPE_FIRST_LEVEL,
                PasidEntry.TYPE_SECOND_LEVEL,
                PasidEntry.TYPE_NESTED,
                PasidEntry.TYPE_PASS_THROUGH
            })
    @DisplayName("with random bits turned, what is told ends as the unit's own walk does: same reason, same byte")
    void shouldAgreeWithTheUnit(int type) {
        long seed = 41L + type;
        SplittableRandom random = new SplittableRandom(seed);
        for (boolean snooping : new boolean[] {true, false}) {
            RemappingOptions options = (type == LEGACY
                            ? RemappingOptions.builder()
                            : ScalableTables.options().snoopControl(true).walkSnoop(snooping))
                    .setRootFlushes(true)
                    .build();
            agree(type, options, random, "seed " + seed + ", snooping " + snooping);
        }
    }

    private static void agree(int type, RemappingOptions options, SplittableRandom random, String run) {
        try (Bench bench = new Bench(options)) {
            for (int round = 0; round < 2_000; round++) {
                build(bench, type);
                for (int flips = random.nextInt(3); flips > 0; flips--) {
                    long at = victim(random, type);
                    bench.memory.writeLong(at, bench.memory.readLong(at) ^ 1L << random.nextInt(64));
                }
                if (type != LEGACY && random.nextInt(3) == 0) {
                    // SLADE or EAFE or SMEP, PWSNP.
                    bench.memory.writeLong(ScalableTables.ENTRY, bench.memory.readLong(ScalableTables.ENTRY) ^ 1 << 9);
                    bench.memory.writeLong(
                            ScalableTables.ENTRY + 8,
                            bench.memory.readLong(ScalableTables.ENTRY + 8) ^ (long) random.nextInt(2) << 23);
                    bench.memory.writeLong(
                            ScalableTables.ENTRY + 16,
                            bench.memory.readLong(ScalableTables.ENTRY + 16) ^ (long) random.nextInt(4) << 6);
                }
                bench.setRoot(type == LEGACY ? ROOT : ROOT | 1 << 10);
                bench.translation(true);
                boolean withPasid = type != LEGACY && random.nextBoolean();
                Access access = random.nextBoolean() ? Access.READ : Access.WRITE;
                WalkRequest request = new WalkRequest(
                        RID,
                        withPasid ? ScalableTables.PASID : FaultReport.NO_PASID,
                        type == PasidEntry.TYPE_PASS_THROUGH ? PAGE : IOVA & ~0xFFFL,
                        access,
                        RequestType.UNTRANSLATED);
                request = withPasid ? request.with(random.nextInt(3) == 0, random.nextBoolean()) : request;
                compare(bench, options, request, run + ", round " + round);
            }
        }
    }

    private static void build(Bench bench, int type) {
        bench.memory.fill(ROOT, 0x1_0000, (byte) 0);
        if (type == LEGACY) {
            legacyTables(bench);
        } else {
            ScalableTables.build(bench.memory, type);
        }
    }

    private static void compare(Bench bench, RemappingOptions options, WalkRequest request, String what) {
        TableWalk walk = explain(bench, options, request);
        boolean read = request.access() == Access.READ;
        FaultReason reason = walk.reason();
        long before = reason == null ? 0 : bench.unit.countersFor(RID).faults(reason);
        DmaPort port = request.pasid() == FaultReport.NO_PASID
                ? bench.unit.portFor(RID)
                : bench.unit
                        .translationPortFor(RID)
                        .withPasid(
                                request.pasid(),
                                (request.execute() ? TranslationPort.EXECUTE : 0)
                                        | (request.privileged() ? TranslationPort.PRIVILEGED : 0));
        byte[] byteMoved = {(byte) 0xA5};
        DmaFault fault = read
                ? port.read(request.iova(), byteMoved, 0, 1, DmaKind.PAYLOAD)
                : port.write(request.iova(), byteMoved, 0, 1, DmaKind.PAYLOAD);
        if (reason != null) {
            assertThat(fault).as(what + ": " + walk.decision()).isEqualTo(reason.dmaFault());
            assertThat(bench.unit.countersFor(RID).faults(reason))
                    .as(what + ": " + walk.decision())
                    .isEqualTo(before + 1);
        } else if (fault != DmaFault.NONE) {
            assertThat(bench.memory.contains(walk.hpa(), 1))
                    .as(what + ": " + walk.decision())
                    .isFalse();
        } else {
            assertThat(bench.memory.readByte(walk.hpa())).as(what).isEqualTo(byteMoved[0]);
        }
    }
}

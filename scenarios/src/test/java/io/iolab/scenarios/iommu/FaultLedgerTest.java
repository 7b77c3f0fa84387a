package io.iolab.scenarios.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.walk.RequestType;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Faults are counted by source, reason and page; a device cannot fill the log with them. */
class FaultLedgerTest {
    private final AtomicInteger walks = new AtomicInteger();
    private final FaultLedger ledger = new FaultLedger(
            report -> {
                walks.incrementAndGet();
                return Optional.empty();
            },
            report -> "nothing.");

    private static FaultReport read(int rid, long page) {
        return new FaultReport(rid, page, Access.READ, 0x06);
    }

    @Test
    @DisplayName("10,000 equal faults: one line with a count, one walk")
    void shouldMakeOneLineOfEqualFaults() {
        for (int i = 0; i < 10_000; i++) {
            ledger.add(read(0x0020, 0x1000));
        }

        assertThat(ledger.faults())
                .singleElement()
                .extracting(ExplainedFault::records)
                .isEqualTo(10_000L);
        assertThat(walks).hasValue(1);
        assertThat(FaultsText.of(ScenarioFaults.of(ledger.faults()), ledger.others(), false))
                .startsWith("DMAR: [DMA Read NO_PASID] Request device [00:04.0] fault addr 0x1000 [fault reason 0x06] "
                        + "PTE Read access is not set  (10000 records)\n")
                .containsOnlyOnce("DMAR:");
    }

    @Test
    void shouldTellSourceReasonAndPageApart() {
        ledger.add(read(0x0020, 0x1000));
        ledger.add(read(0x0020, 0x2000));
        ledger.add(read(0x0100, 0x1000));
        ledger.add(new FaultReport(0x0020, 0x1000, Access.WRITE, 0x05));
        ledger.add(read(0x0020, 0x1000), 4);

        assertThat(ledger.faults()).extracting(ExplainedFault::records).containsExactly(5L, 1L, 1L, 1L);
    }

    @Test
    @DisplayName("a device that faults on ever new pages fills the ledger to its bound, and is counted beyond")
    void shouldBoundWhatItKeeps() {
        for (int page = 0; page < 10_000; page++) {
            ledger.add(read(0x0020, (long) page << 12));
        }

        assertThat(ledger.faults()).hasSize(FaultLedger.MOST_KINDS);
        assertThat(ledger.others()).isEqualTo(10_000 - FaultLedger.MOST_KINDS);
        assertThat(FaultsText.of(ScenarioFaults.of(ledger.faults()), ledger.others(), false))
                .endsWith("more records of other kinds are not listed\n");
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("every reason: Linux's line, what happened in words, and what would have happened without the unit")
    void shouldSayOfEveryReasonWhatHappenedAndWhatWouldHave(FaultReason reason) {
        FaultReport report = new FaultReport(0x0100, 3L << 48, Access.READ, reason.code());
        FaultLedger told = new FaultLedger(
                each -> Optional.empty(),
                each -> WithoutUnit.of(
                        each, RequestType.UNTRANSLATED, page -> "host memory at 0x" + Long.toHexString(page)));
        told.add(report);

        ExplainedFault fault = told.faults().getFirst();
        assertThat(fault.report().toString()).contains(reason.text());
        assertThat(fault.words()).startsWith("01:00.0 ").contains(reason.text()).endsWith(".");
        boolean interrupt = reason.code() >> 4 == 2;
        boolean pageRequest = reason.code() == 0x32 || reason.code() == 0x47;
        assertThat(fault.without())
                .endsWith(".")
                .contains(interrupt ? "reached a processor" : pageRequest ? "page requests" : "would have been read");
    }

    @Test
    @DisplayName("EXE and a PASID: what would have been executed, and that nobody else heeds PASIDs")
    void shouldTellRequestsToExecute() {
        FaultReport report = new FaultReport(0x0100, 0x1000, Access.READ, 0x5C, 5, true, false);
        ledger.add(report);

        assertThat(ledger.faults().getFirst().words())
                .isEqualTo("01:00.0 tried to execute from page 0x1000 and the unit refused it: "
                        + "SM: ERE field is clear in PASID Table Entry.");
        assertThat(WithoutUnit.of(report, RequestType.UNTRANSLATED, page -> "memory"))
                .isEqualTo("memory would have been read, to be executed, as nobody else looks at PASIDs.");
        assertThat(WithoutUnit.of(report, RequestType.TRANSLATION_REQUEST, page -> "memory"))
                .contains("nobody to ask");
    }

    @Test
    @DisplayName("where the tables have changed since, the record has the last word")
    void shouldNotPassOffTodaysTablesAsTheReason() {
        WalkRequest request = new WalkRequest(0x0020, 0x1000, Access.READ);
        TableWalk open = new TableWalk(request, "legacy", 0, List.of(), null, "leads to 0x5000", 0x5000, 12);
        TableWalk shut = new TableWalk(
                request, "legacy", 0, List.of(), FaultReason.ROOT_NOT_PRESENT, "root entry: P (bit 0) is 0", -1, 0);
        FaultLedger told =
                new FaultLedger(report -> Optional.of(report.iovaPage() == 0x1000 ? open : shut), report -> "nothing.");
        told.add(read(0x0020, 0x1000));
        told.add(read(0x0020, 0x2000));

        assertThat(told.faults())
                .extracting(ExplainedFault::words)
                .containsExactly(
                        "00:04.0 tried to read page 0x1000 and the unit refused it: PTE Read access is not set; "
                                + "the tables as they are now would let it through.",
                        "00:04.0 tried to read page 0x2000 and the unit refused it: PTE Read access is not set; "
                                + "the tables as they are now would refuse it for another reason "
                                + "(Present bit in root entry is clear).");
    }

    @Test
    void shouldExplainInterruptFaults() {
        ledger.add(new FaultReport(0x0100, 7L << 48, Access.WRITE, 0x26));

        assertThat(ledger.faults().getFirst().words())
                .isEqualTo("01:00.0 sent an interrupt request (index 7) and the unit dropped it: "
                        + "Blocked an interrupt request due to source-id verification failure.");
    }
}

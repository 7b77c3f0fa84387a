package io.iolab.scenarios.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.memory.Access;
import io.iolab.iommu.driver.FaultReport;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

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
        assertThat(FaultsText.of(ledger.faults(), ledger.others(), false))
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
        assertThat(FaultsText.of(ledger.faults(), ledger.others(), false))
                .endsWith("more records of other kinds are not listed\n");
    }

    @Test
    void shouldExplainInterruptFaults() {
        ledger.add(new FaultReport(0x0100, 7L << 48, Access.WRITE, 0x26));

        assertThat(ledger.faults().getFirst().words())
                .isEqualTo("01:00.0 sent an interrupt request (index 7) and the unit dropped it: "
                        + "Blocked an interrupt request due to source-id verification failure.");
    }
}

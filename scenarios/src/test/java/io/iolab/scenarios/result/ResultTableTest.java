package io.iolab.scenarios.result;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.WakeCause;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultTableTest {

    private static List<String> lines(GuestFigures... guests) {
        return Arrays.asList(ResultTable.text(HandBuilt.report(guests)).split("\n", -1));
    }

    private static GuestFigures huge() {
        GuestFigures small = HandBuilt.emulated();
        return new GuestFigures(
                "abcdefghijklmnopqrstuvwx",
                small.path(),
                3600,
                new GuestFigures.Traffic(500_000_000_000L, 757_000_000_000_000L, Map.of()),
                small.rx(),
                small.exits().stream()
                        .map(e -> new GuestFigures.Exits(
                                e.reason(), e.detail(), e.handler(), 999_999_999_999L, 3_600_000_000_000_000L))
                        .toList(),
                small.interrupts(),
                500_000_000_000L,
                0,
                Map.of(WakeCause.KICK, 500_000_000_000L),
                757_000_000_000_000L,
                small.dma(),
                small.iommu(),
                small.cpuPicos(),
                small.latencyNanos());
    }

    @Test
    void shouldSayWhatRanAndAtWhichCosts() {
        assertThat(lines(HandBuilt.emulated()))
                .startsWith(
                        "Scenario hand-built  seed 42  clock virtual  0.000050 virtual s",
                        "Profile sandy-bridge-2013: Intel Sandy Bridge, 2012-2017: KVM without APICv or VT-d posting, before the"
                                + " Meltdown/Spectre mitigations");
    }

    @Test
    void shouldKeepEveryLineWithin160ColumnsWithoutTrailingSpace() {
        assertThat(lines(huge(), HandBuilt.passthrough(), HandBuilt.yardstick()))
                .allSatisfy(line -> assertThat(line)
                        .hasSizeLessThanOrEqualTo(ResultTable.MAX_WIDTH)
                        .doesNotEndWith(" "));
    }

    @Test
    void shouldEndEachNumberUnderTheEndOfItsHeader() {
        List<String> lines = lines(HandBuilt.emulated(), HandBuilt.passthrough(), huge());
        int header = lines.indexOf(lines.stream()
                .filter(line -> line.startsWith("  PATH"))
                .findFirst()
                .orElseThrow());
        for (String column : List.of("pps", "Gbit/s", "exits/pkt", "copied B/pkt", "p99 us", "CPU ns/pkt", "drops")) {
            int end = lines.get(header).indexOf("  " + column) + 2 + column.length();
            for (int row = 1; row <= 3; row++) {
                String line = lines.get(header + row);
                assertThat(line.charAt(end - 1)).as(column + " in: " + line).isNotEqualTo(' ');
                assertThat(line.length() == end || line.charAt(end) == ' ')
                        .as(column + " in: " + line)
                        .isTrue();
            }
        }
    }

    @Test
    void shouldListExitsAsPerfKvmStatDoes() {
        List<String> words = lines(HandBuilt.emulated()).stream()
                .map(line -> line.strip().replaceAll(" +", " "))
                .toList();

        assertThat(words)
                .containsSubsequence(
                        "VM exits",
                        "PATH VM-EXIT Handler Samples Samples% Time% Avg us per packet",
                        "emulated EPT_MISCONFIG TDT user 3 60.00% 66.67% 4.000 0.7500",
                        "emulated HLT kernel 1 20.00% 8.33% 1.500 0.2500",
                        "emulated EPT_MISCONFIG ICR user 1 20.00% 25.00% 4.500 0.2500",
                        "emulated total 5 100.00% 100.00% 3.600 1.2500");
        assertThat(String.join("\n", words)).doesNotContain("UNKNOWN").doesNotContain("CPUID");
    }

    @Test
    void shouldShowSharesOnlyBesideTheYardstick() {
        assertThat(String.join("\n", lines(HandBuilt.emulated()))).doesNotContain("Share of native");
        assertThat(lines(HandBuilt.emulated(), HandBuilt.yardstick()).stream()
                        .map(line -> line.strip().replaceAll(" +", " "))
                        .toList())
                .contains("emulated 0.5000 0.5000 2.0000 3.0000 6.0001");
    }

    @Test
    void shouldShowADashWhereNothingWasTimed() {
        assertThat(lines(HandBuilt.passthrough()))
                .anySatisfy(line -> assertThat(line.replaceAll(" +", " "))
                        .isEqualTo(" vf,\"0\" (passthrough) 80000 0.1638 0.500 0.250 0.750 0.0 0.500 - - 1000.0 0"));
    }

    @Test
    void shouldShowDeviceTlbsOnlyWhereThereAreSome() {
        assertThat(ResultTable.text(HandBuilt.report(HandBuilt.passthrough()))).doesNotContain("Device TLB");
        assertThat(ResultTable.text(HandBuilt.report(HandBuilt.withDeviceTlb())))
                .contains("Device TLBs, per packet")
                .containsPattern("1\\.500 +0\\.500 +0\\.750 +1\\.750 +0\\.250 +5");
    }

    /** Four packets, four maps that took two exits, three unmaps that took six. */
    @Test
    void shouldShowTheGuestsUnitOnlyWhereThereIsOne() {
        assertThat(ResultTable.text(HandBuilt.report(HandBuilt.passthrough()))).doesNotContain("Remapping units");
        assertThat(ResultTable.text(HandBuilt.report(HandBuilt.withGuestUnit())))
                .contains("Remapping units that guests see")
                .containsPattern("1\\.000 +0\\.500 +2\\.000 +1\\.750 +2\\.000 +2\\.500 +3\\.000 +13");
    }
}

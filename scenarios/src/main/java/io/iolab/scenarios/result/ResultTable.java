package io.iolab.scenarios.result;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The report for people, in plain ASCII and at most {@value #MAX_WIDTH} columns. */
public final class ResultTable {
    /** Wider than a terminal, as narrow as the figures allow. */
    static final int MAX_WIDTH = 160;

    private static final BigDecimal HUNDRED = BigDecimal.valueOf(100);
    private static final BigDecimal PICOS_PER_MICRO = BigDecimal.valueOf(1_000_000);
    private static final BigDecimal NANOS_PER_MICRO = BigDecimal.valueOf(1_000);
    static final String NONE = "-";
    private static final int MAX_FAULTS = 10;

    private ResultTable() {}

    /** Header, the paths, their shares of native if it ran, where processor time went, and each guest's exits. */
    public static String text(Report report) {
        StringBuilder out = new StringBuilder(header(report));
        out.append('\n').append(paths(report).render());
        Optional<PathFigures> yardstick = report.yardstick();
        if (yardstick.isPresent()) {
            out.append("\nShare of native (1.0000 is what the NIC does without a hypervisor)\n")
                    .append(shares(report, yardstick.get()).render());
        }
        if (report.rows().stream().anyMatch(row -> row.raw().iommu().deviceTlb().isPresent())) {
            out.append("\nDevice TLBs, per packet (translation requests: their round trip has no price)\n")
                    .append(deviceTlbs(report).render());
        }
        if (report.rows().stream().anyMatch(row -> row.raw().iommu().guestUnit().isPresent())) {
            out.append("\nRemapping units that guests see, and what the host did for them\n")
                    .append(GuestUnitTable.of(report).render());
        }
        out.append("\nProcessor time per packet (ns)\n")
                .append(processor(report).render());
        out.append("\nVM exits\n").append(exits(report).render());
        if (!report.faults().isEmpty()) {
            out.append("\nDMA faults recorded by the IOMMU\n");
            report.faults().stream()
                    .limit(MAX_FAULTS)
                    .forEach(fault -> out.append("  ")
                            .append(fault.line())
                            .append("  x")
                            .append(fault.records())
                            .append('\n'));
            if (report.faults().size() > MAX_FAULTS) {
                out.append("  and ").append(report.faults().size() - MAX_FAULTS).append(" more; --json has them all\n");
            }
        }
        out.append(WatchdogText.of(report));
        return out.toString();
    }

    private static String header(Report report) {
        String first = "Scenario " + report.scenario() + "  seed " + report.seed() + "  clock "
                + ResultJson.clock(report.clock()) + "  "
                + ResultJson.seconds(report.seconds()).setScale(6, RoundingMode.HALF_EVEN)
                + (report.clock() == io.iolab.vmm.ClockMode.VIRTUAL ? " virtual s" : " s");
        return wrapped(first)
                + wrapped("Profile " + report.profile() + ": " + report.era())
                + WatchdogText.injected(report);
    }

    /** Broken between words where a line would be too wide. */
    private static String wrapped(String text) {
        StringBuilder out = new StringBuilder();
        int used = 0;
        for (String word : text.split(" ", -1)) {
            if (used > 0 && used + 1 + word.length() > MAX_WIDTH) {
                out.append("\n ");
                used = 1;
            }
            if (used > 0) {
                out.append(' ');
                used++;
            }
            out.append(word);
            used += word.length();
        }
        return out.append('\n').toString();
    }

    /** The path, and the guest's own name where it has one. */
    static String label(PathFigures row) {
        String path = row.path().label();
        return row.guest().equals(path) ? path : row.guest() + " (" + path + ")";
    }

    private static TextTable paths(Report report) {
        TextTable table = new TextTable()
                .text("PATH")
                .number("pps")
                .number("Gbit/s")
                .number("exits/pkt")
                .number("irq/pkt")
                .number("kicks/pkt")
                .number("copied B/pkt")
                .number("IOTLB miss/pkt")
                .number("p50 us")
                .number("p99 us")
                .number("CPU ns/pkt")
                .number("drops");
        for (PathFigures row : report.rows()) {
            table.row(
                    label(row),
                    row.pps().setScale(0, RoundingMode.HALF_EVEN),
                    row.gbps().setScale(4, RoundingMode.HALF_EVEN),
                    short3(row.exitsPerPacket()),
                    short3(row.interruptsPerPacket()),
                    short3(row.kicksPerPacket()),
                    row.copiedBytesPerPacket().setScale(1, RoundingMode.HALF_EVEN),
                    short3(row.iotlbMissesPerPacket()),
                    micros(row.latencyNanos(50)),
                    micros(row.latencyNanos(99)),
                    row.cpuNanosPerPacket(),
                    row.drops());
        }
        return table;
    }

    private static TextTable deviceTlbs(Report report) {
        TextTable table = new TextTable()
                .text("PATH")
                .number("hits")
                .number("misses")
                .number("translation requests")
                .number("translated")
                .number("untranslated")
                .number("invalidations in all");
        for (PathFigures row : report.rows()) {
            row.raw()
                    .iommu()
                    .deviceTlb()
                    .ifPresent(tlb -> table.row(
                            label(row),
                            short3(row.perPacket(tlb.hits())),
                            short3(row.perPacket(tlb.misses())),
                            short3(row.perPacket(tlb.translationRequests())),
                            short3(row.perPacket(tlb.translated())),
                            short3(row.perPacket(tlb.untranslated())),
                            tlb.invalidations()));
        }
        return table;
    }

    static BigDecimal short3(BigDecimal figure) {
        return figure.setScale(3, RoundingMode.HALF_EVEN);
    }

    private static String micros(Optional<Long> nanos) {
        return nanos.map(value -> BigDecimal.valueOf(value)
                        .divide(NANOS_PER_MICRO, 2, RoundingMode.HALF_EVEN)
                        .toString())
                .orElse(NONE);
    }

    private static TextTable shares(Report report, PathFigures yardstick) {
        TextTable table = new TextTable()
                .text("PATH")
                .number("pps")
                .number("Gbit/s")
                .number("p50")
                .number("p99")
                .number("CPU ns/pkt");
        for (PathFigures row : report.rows()) {
            if (row.path() != Path.NATIVE) {
                List<Object> cells = new ArrayList<>();
                cells.add(label(row));
                for (NativeShare share : NativeShare.of(row, yardstick)) {
                    cells.add(share.share().map(BigDecimal::toString).orElse(NONE));
                }
                table.row(cells.toArray());
            }
        }
        return table;
    }

    private static TextTable processor(Report report) {
        TextTable table = new TextTable().text("PATH");
        for (CpuShare share : CpuShare.values()) {
            table.number(share.label());
        }
        table.number("total").number("wakes/pkt");
        for (PathFigures row : report.rows()) {
            List<Object> cells = new ArrayList<>();
            cells.add(label(row));
            for (CpuShare share : CpuShare.values()) {
                cells.add(row.cpuNanosPerPacket(share));
            }
            cells.add(row.cpuNanosPerPacket());
            cells.add(short3(row.wakeupsPerPacket()));
            table.row(cells.toArray());
        }
        return table;
    }

    /** In the columns of {@code perf kvm stat}. */
    private static TextTable exits(Report report) {
        TextTable table = new TextTable()
                .text("PATH")
                .text("VM-EXIT")
                .text("Handler")
                .number("Samples")
                .number("Samples%")
                .number("Time%")
                .number("Avg us")
                .number("per packet");
        for (PathFigures row : report.rows()) {
            List<GuestFigures.Exits> all = row.exits();
            long count = all.stream().mapToLong(GuestFigures.Exits::count).sum();
            long picos = all.stream().mapToLong(GuestFigures.Exits::picos).sum();
            for (GuestFigures.Exits exits : all) {
                table.row(
                        label(row),
                        exits.detail().equals(NONE) ? exits.reason().name() : exits.reason() + " " + exits.detail(),
                        ResultJson.lower(exits.handler()),
                        exits.count(),
                        percent(exits.count(), count),
                        percent(exits.picos(), picos),
                        average(exits.picos(), exits.count()),
                        row.perPacket(exits.count()));
            }
            table.row(
                    label(row),
                    "total",
                    "",
                    count,
                    percent(count, count),
                    percent(picos, picos),
                    average(picos, count),
                    row.perPacket(count));
        }
        return table;
    }

    private static String percent(long part, long whole) {
        return whole == 0
                ? NONE
                : PathFigures.ratio(BigDecimal.valueOf(part).multiply(HUNDRED), BigDecimal.valueOf(whole), 2) + "%";
    }

    private static String average(long picos, long count) {
        return count == 0
                ? NONE
                : PathFigures.ratio(
                                BigDecimal.valueOf(picos),
                                BigDecimal.valueOf(count).multiply(PICOS_PER_MICRO),
                                3)
                        .toString();
    }
}

package io.iolab.scenarios.result;

import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.WakeCause;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One row per path under one header, RFC 4180: comma, CRLF, quotes where needed. Every row says which run it is of, so that files
 * can be put together. A cell is empty where there is no figure.
 */
public final class ResultCsv {
    private static final String LINE_END = "\r\n";

    private ResultCsv() {}

    /** Header and rows. */
    public static String text(Report report) {
        StringBuilder out = new StringBuilder();
        Optional<PathFigures> yardstick = report.yardstick();
        for (PathFigures row : report.rows()) {
            Map<String, Object> cells = cells(report, row, yardstick);
            if (out.isEmpty()) {
                out.append(String.join(",", cells.keySet())).append(LINE_END);
            }
            out.append(cells.values().stream()
                            .map(value -> quoted(value.toString()))
                            .collect(Collectors.joining(",")))
                    .append(LINE_END);
        }
        return out.toString();
    }

    private static Map<String, Object> cells(Report report, PathFigures row, Optional<PathFigures> yardstick) {
        GuestFigures raw = row.raw();
        Map<String, Object> cells = new LinkedHashMap<>();
        cells.put("scenario", report.scenario());
        cells.put("seed", report.seed());
        cells.put("clock", ResultJson.clock(report.clock()));
        cells.put("profile", report.profile());
        cells.put("virtual_seconds", ResultJson.seconds(report.seconds()));
        cells.put("path", row.path().label());
        cells.put("guest", row.guest());
        cells.put("frames", raw.packets());
        cells.put("bytes", row.bytes());
        cells.put("tx_frames", raw.tx().frames());
        cells.put("tx_bytes", raw.tx().bytes());
        cells.put("tx_pps", row.pps(raw.tx().frames()));
        cells.put("tx_drops", raw.tx().dropped());
        cells.put("rx_frames", raw.rx().frames());
        cells.put("rx_bytes", raw.rx().bytes());
        cells.put("rx_pps", row.pps(raw.rx().frames()));
        cells.put("rx_drops", raw.rx().dropped());
        cells.put("pps", row.pps());
        cells.put("gbps", row.gbps());
        cells.put("exits_per_packet", row.exitsPerPacket());
        cells.put("interrupts_per_packet", row.interruptsPerPacket());
        cells.put("kicks_per_packet", row.kicksPerPacket());
        cells.put("wakeups_per_packet", row.wakeupsPerPacket());
        cells.put("copied_bytes_per_packet", row.copiedBytesPerPacket());
        cells.put("iotlb_misses_per_packet", row.iotlbMissesPerPacket());
        cells.put("drops", row.drops());
        cells.put("latency_p50_ns", cell(row.latencyNanos(50)));
        cells.put("latency_p99_ns", cell(row.latencyNanos(99)));
        cells.put("latency_max_ns", cell(row.latencyNanos(100)));
        cells.put("cpu_ns_per_packet", row.cpuNanosPerPacket());
        for (CpuShare share : CpuShare.values()) {
            cells.put("cpu_" + share.label() + "_ns_per_packet", row.cpuNanosPerPacket(share));
        }
        for (InterruptOutcome outcome : InterruptOutcome.values()) {
            cells.put("interrupts_" + outcome.label(), row.interrupts(outcome));
        }
        cells.put("kicks_sent", raw.kicksSent());
        cells.put("kicks_suppressed", raw.kicksSuppressed());
        for (WakeCause cause : WakeCause.values()) {
            cells.put("wakeups_" + cause.label(), row.wakeups(cause));
        }
        cells.put("exits", raw.totalExits());
        cells.put("iommu_faults", raw.iommu().faults());
        deviceTlb(cells, raw.iommu().deviceTlb());
        guestUnit(cells, raw.iommu().guestUnit());
        if (yardstick.isPresent()) {
            for (NativeShare share : NativeShare.of(row, yardstick.get())) {
                cells.put(share.figure() + "_share_of_native", cell(share.share()));
            }
        }
        return cells;
    }

    private static void deviceTlb(Map<String, Object> cells, Optional<GuestFigures.DeviceTlb> tlb) {
        cells.put("device_tlb_hits", cell(tlb.map(GuestFigures.DeviceTlb::hits)));
        cells.put("device_tlb_misses", cell(tlb.map(GuestFigures.DeviceTlb::misses)));
        cells.put("device_tlb_translation_requests", cell(tlb.map(GuestFigures.DeviceTlb::translationRequests)));
        cells.put("device_tlb_translated_requests", cell(tlb.map(GuestFigures.DeviceTlb::translated)));
        cells.put("device_tlb_untranslated_requests", cell(tlb.map(GuestFigures.DeviceTlb::untranslated)));
        cells.put("device_tlb_invalidations", cell(tlb.map(GuestFigures.DeviceTlb::invalidations)));
    }

    private static void guestUnit(Map<String, Object> cells, Optional<GuestFigures.GuestUnit> unit) {
        cells.put("guest_unit_maps", cell(unit.map(GuestFigures.GuestUnit::maps)));
        cells.put("guest_unit_map_exits", cell(unit.map(GuestFigures.GuestUnit::mapExits)));
        cells.put("guest_unit_unmaps", cell(unit.map(GuestFigures.GuestUnit::unmaps)));
        cells.put("guest_unit_unmap_exits", cell(unit.map(GuestFigures.GuestUnit::unmapExits)));
        cells.put("guest_unit_invalidations", cell(unit.map(GuestFigures.GuestUnit::invalidations)));
        cells.put("guest_unit_table_walks", cell(unit.map(GuestFigures.GuestUnit::walks)));
        cells.put("guest_unit_host_maps", cell(unit.map(GuestFigures.GuestUnit::hostMaps)));
        cells.put("guest_unit_host_unmaps", cell(unit.map(GuestFigures.GuestUnit::hostUnmaps)));
        cells.put("guest_unit_host_invalidations", cell(unit.map(GuestFigures.GuestUnit::hostInvalidations)));
        cells.put("guest_unit_faults", cell(unit.map(GuestFigures.GuestUnit::faults)));
    }

    private static Object cell(Optional<?> value) {
        return value.isPresent() ? value.get() : "";
    }

    private static String quoted(String cell) {
        boolean plain = cell.chars().noneMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return plain ? cell : '"' + cell.replace("\"", "\"\"") + '"';
    }
}

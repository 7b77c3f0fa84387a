package io.iolab.scenarios.result;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.config.ConfigNode;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Optional;

/** The document {@code iolab.result/1}. */
public final class ResultJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.result/1";

    private static final int SECONDS_DECIMALS = 9;
    /** It keeps the decimals that a figure was rounded to. */
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private static final ObjectWriter WRITER = JsonMapper.builder()
            .build()
            .writer(new DefaultPrettyPrinter(
                            Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER))
                    .withObjectIndenter(new DefaultIndenter("  ", "\n"))
                    .withArrayIndenter(new DefaultIndenter("  ", "\n")));

    private ResultJson() {}

    /** With a line feed at the end. */
    public static String text(Report report) {
        return text(document(report));
    }

    /** Any document in the same layout. */
    public static String text(JsonNode document) {
        try {
            return WRITER.writeValueAsString(document) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can always be written", e);
        }
    }

    static ObjectNode document(Report report) {
        ObjectNode root = NODES.objectNode();
        root.put("schema", SCHEMA);
        root.put("version", report.version());
        root.put("scenario", report.scenario());
        root.put("seed", report.seed());
        root.put("clock", clock(report.clock()));
        root.put("profile", report.profile());
        root.put("era", report.era());
        root.put("virtual_seconds", seconds(report.seconds()));
        ArrayNode paths = root.putArray("paths");
        Optional<PathFigures> yardstick = report.yardstick();
        for (PathFigures row : report.rows()) {
            ObjectNode path = path(row);
            if (yardstick.isPresent() && row.path() != Path.NATIVE) {
                ObjectNode shares = path.putObject("share_of_native");
                for (NativeShare share : NativeShare.of(row, yardstick.get())) {
                    shares.put(share.figure(), share.share().orElse(null));
                }
            }
            paths.add(path);
        }
        ArrayNode faults = root.putArray("dma_faults");
        for (DmaFaultLine fault : report.faults()) {
            ObjectNode line = faults.addObject();
            line.put("source", fault.source());
            line.put("page", "0x" + Long.toHexString(fault.page()));
            line.put("access", ConfigNode.nameOf(fault.access()));
            line.put("code", fault.code());
            line.put("reason", fault.reason());
            line.put("line", fault.line());
            line.put("records", fault.records());
        }
        WatchdogJson.append(root, report);
        return root;
    }

    static String clock(ClockMode clock) {
        return ConfigNode.nameOf(clock);
    }

    static BigDecimal seconds(double seconds) {
        return BigDecimal.valueOf(seconds).setScale(SECONDS_DECIMALS, RoundingMode.HALF_EVEN);
    }

    private static ObjectNode path(PathFigures row) {
        GuestFigures raw = row.raw();
        ObjectNode path = NODES.objectNode();
        path.put("path", row.path().label());
        path.put("guest", row.guest());
        path.put("frames", raw.packets());
        path.put("bytes", row.bytes());
        path.set("tx", traffic(row, raw.tx()));
        path.set("rx", traffic(row, raw.rx()));
        path.put("pps", row.pps());
        path.put("gbps", row.gbps());
        path.put("exits_per_packet", row.exitsPerPacket());
        path.put("interrupts_per_packet", row.interruptsPerPacket());
        path.put("kicks_per_packet", row.kicksPerPacket());
        path.put("wakeups_per_packet", row.wakeupsPerPacket());
        path.put("copied_bytes_per_packet", row.copiedBytesPerPacket());
        path.put("iotlb_misses_per_packet", row.iotlbMissesPerPacket());
        path.put("drops", row.drops());
        ObjectNode latency = path.putObject("latency_ns");
        latency.put("samples", raw.latencyNanos().getTotalCount());
        latency.put("p50", row.latencyNanos(50).orElse(null));
        latency.put("p99", row.latencyNanos(99).orElse(null));
        latency.put("max", row.latencyNanos(100).orElse(null));
        path.put("cpu_ns_per_packet", row.cpuNanosPerPacket());
        ObjectNode cpu = path.putObject("cpu_ns");
        for (CpuShare share : CpuShare.values()) {
            cpu.put(share.label(), row.cpuNanosPerPacket(share));
        }
        counters(path, row);
        exits(path.putArray("exits"), row);
        return path;
    }

    private static ObjectNode traffic(PathFigures row, GuestFigures.Traffic traffic) {
        ObjectNode node = NODES.objectNode();
        node.put("frames", traffic.frames());
        node.put("bytes", traffic.bytes());
        node.put("pps", row.pps(traffic.frames()));
        node.put("gbps", row.gbps(traffic.bytes()));
        node.put("drops", traffic.dropped());
        ObjectNode causes = node.putObject("drops_by_cause");
        for (DropCause cause : DropCause.values()) {
            causes.put(cause.label(), traffic.drops().getOrDefault(cause, 0L));
        }
        return node;
    }

    private static void counters(ObjectNode path, PathFigures row) {
        GuestFigures raw = row.raw();
        ObjectNode interrupts = path.putObject("interrupts");
        for (InterruptOutcome outcome : InterruptOutcome.values()) {
            interrupts.put(outcome.label(), row.interrupts(outcome));
        }
        path.putObject("kicks").put("sent", raw.kicksSent()).put("suppressed", raw.kicksSuppressed());
        ObjectNode wakeups = path.putObject("wakeups");
        for (WakeCause cause : WakeCause.values()) {
            wakeups.put(cause.label(), row.wakeups(cause));
        }
        path.put("copied_bytes", raw.copiedBytes());
        ArrayNode dma = path.putArray("dma");
        for (GuestFigures.Dma requests : raw.dma()) {
            dma.addObject()
                    .put("op", lower(requests.access()))
                    .put("kind", lower(requests.kind()))
                    .put("requests", requests.requests())
                    .put("bytes", requests.bytes());
        }
        GuestFigures.Iommu iommu = raw.iommu();
        ObjectNode unit = path.putObject("iommu");
        unit.put("iotlb_hits", iommu.iotlbHits())
                .put("iotlb_misses", iommu.iotlbMisses())
                .put("walk_accesses", iommu.walkAccesses())
                .put("faults", iommu.faults())
                .put("invalidations", iommu.invalidations());
        iommu.deviceTlb()
                .ifPresent(tlb -> unit.putObject("device_tlb")
                        .put("hits", tlb.hits())
                        .put("misses", tlb.misses())
                        .put("translation_requests", tlb.translationRequests())
                        .put("translated_requests", tlb.translated())
                        .put("untranslated_requests", tlb.untranslated())
                        .put("invalidations", tlb.invalidations()));
        iommu.guestUnit()
                .ifPresent(seen -> unit.putObject("guest_unit")
                        .put("maps", seen.maps())
                        .put("map_exits", seen.mapExits())
                        .put("unmaps", seen.unmaps())
                        .put("unmap_exits", seen.unmapExits())
                        .put("invalidations", seen.invalidations())
                        .put("table_walks", seen.walks())
                        .put("host_maps", seen.hostMaps())
                        .put("host_unmaps", seen.hostUnmaps())
                        .put("host_invalidations", seen.hostInvalidations())
                        .put("faults", seen.faults()));
    }

    private static void exits(ArrayNode list, PathFigures row) {
        for (GuestFigures.Exits exits : row.exits()) {
            list.addObject()
                    .put("reason", exits.reason().name())
                    .put("detail", exits.detail())
                    .put("handler", lower(exits.handler()))
                    .put("count", exits.count())
                    .put("time_ns", (exits.picos() + 500) / 1000);
        }
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}

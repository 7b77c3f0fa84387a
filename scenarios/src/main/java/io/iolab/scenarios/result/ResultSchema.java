package io.iolab.scenarios.result;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import io.iolab.scenarios.schema.JsonSchema;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.inject.Bug;
import io.iolab.vmm.inject.Party;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import io.iolab.vmm.ledger.WatchdogKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The JSON Schema of {@code iolab.result/1}. */
public final class ResultSchema {
    private ResultSchema() {}

    /** A new tree each time. */
    public static ObjectNode document() {
        Fields root = new Fields()
                .with("schema", "Of this document.", JsonSchema.constant(ResultJson.SCHEMA))
                .with("version", "Of the lab.", JsonSchema.text())
                .with("scenario", "Its name.", JsonSchema.text())
                .with("seed", "Of everything random.", JsonSchema.integer(0, Long.MAX_VALUE))
                .with("clock", "virtual: deterministic; wall: real threads.", names(ClockMode.values()))
                .with("profile", "The cost profile's name.", JsonSchema.text())
                .with("era", "The hardware era of the profile's numbers.", JsonSchema.text())
                .with("virtual_seconds", "Length of the measured part, in the run's clock.", JsonSchema.amount())
                .with("paths", "One per guest.", JsonSchema.listOf(path()))
                .with("dma_faults", "Requests that the IOMMU refused, set-up included.", JsonSchema.listOf(fault()))
                .optional("inject", "Bugs put into guests; absent without any.", JsonSchema.listOf(injection()))
                .optional(
                        "watchdog",
                        "What watchdogs found since the start of the run; absent when nothing.",
                        JsonSchema.listOf(watchdog()));
        return JsonSchema.document(ResultJson.SCHEMA, root.object());
    }

    private static ObjectNode path() {
        return new Fields()
                .with("path", "How the guest reaches the network.", names(Path.values()))
                .with("guest", "Its name.", JsonSchema.text())
                .with("frames", "Sent plus received: a packet of every per-packet figure.", JsonSchema.count())
                .with("bytes", "Of those frames, without preamble and FCS.", JsonSchema.count())
                .with("tx", "What the guest sent.", traffic())
                .with("rx", "What the guest received.", traffic())
                .with("pps", "Frames per second, both directions.", JsonSchema.amount())
                .with("gbps", "10^9 bits per second, both directions.", JsonSchema.amount())
                .with("exits_per_packet", "VM exits.", JsonSchema.amount())
                .with("interrupts_per_packet", "Interrupts that entered the guest.", JsonSchema.amount())
                .with("kicks_per_packet", "Doorbells that reached the device.", JsonSchema.amount())
                .optional(
                        "wakeups_per_packet",
                        "Times a sleeping thread that serves the device was woken.",
                        JsonSchema.amount())
                .with("copied_bytes_per_packet", "Bytes moved by host processors.", JsonSchema.amount())
                .with("iotlb_misses_per_packet", "Translations that had to walk.", JsonSchema.amount())
                .with("drops", "Frames lost, both directions, all causes.", JsonSchema.count())
                .with("latency_ns", "From the sending program's call to the receiving program's return.", latency())
                .with(
                        "cpu_ns_per_packet",
                        "Processor time, all shares: what a polling thread burns without finding work included.",
                        JsonSchema.amount())
                .with("cpu_ns", "The same by share, per packet.", processor())
                .with("interrupts", "By outcome.", each(InterruptOutcome.values(), JsonSchema.count()))
                .with("kicks", "Doorbells.", counts("sent", "suppressed"))
                .optional("wakeups", "By cause.", each(WakeCause.values(), JsonSchema.count()))
                .with("copied_bytes", "Between guest memory and host buffers.", JsonSchema.count())
                .with("dma", "Requests of the device.", JsonSchema.listOf(dma()))
                .with("iommu", "All 0 without one.", iommu())
                .with("exits", "Most frequent first.", JsonSchema.listOf(exits()))
                .optional("share_of_native", "Each figure divided by the native path's.", share())
                .object();
    }

    private static ObjectNode traffic() {
        return new Fields()
                .with("frames", "Frames.", JsonSchema.count())
                .with("bytes", "Without preamble and FCS.", JsonSchema.count())
                .with("pps", "Frames per second.", JsonSchema.amount())
                .with("gbps", "10^9 bits per second.", JsonSchema.amount())
                .with("drops", "Frames lost.", JsonSchema.count())
                .with("drops_by_cause", "The same by cause.", each(DropCause.values(), JsonSchema.count()))
                .object();
    }

    private static ObjectNode fault() {
        return new Fields()
                .with("source", "Requester id, as lspci writes it.", JsonSchema.text())
                .with("page", "The 4 KiB page of the request, in hexadecimal.", JsonSchema.text())
                .with("access", "What was tried.", names(Access.values()))
                .with("code", "The reason recorded (VT-d).", JsonSchema.count())
                .with("reason", "The same in words.", JsonSchema.text())
                .with("line", "What Linux would log.", JsonSchema.text())
                .with("records", "How many records of it were read.", JsonSchema.count())
                .object();
    }

    private static ObjectNode injection() {
        return new Fields()
                .with(
                        "name",
                        "As the command line has it.",
                        JsonSchema.oneOf(
                                Arrays.stream(Bug.values()).map(Bug::label).toList()))
                .with("guest", "Whose.", JsonSchema.text())
                .with("struck", "Whether the run was long enough for it.", JsonSchema.flag())
                .with("fault", "Who is at fault.", names(Party.values()))
                .with("symptom", "What is to be seen of it.", JsonSchema.text())
                .with("met", "Where it, or one of its kind, was met.", JsonSchema.text())
                .object();
    }

    private static ObjectNode watchdog() {
        return new Fields()
                .with("guest", "Whose.", JsonSchema.text())
                .with("path", "Its path.", names(Path.values()))
                .with("kind", "What was found.", names(WatchdogKind.values()))
                .with(
                        "seen_by",
                        "guest, or host where the guest cannot see it.",
                        JsonSchema.oneOf(List.of("guest", "host")))
                .with("count", "Looks that found it.", JsonSchema.count())
                .with("first_seconds", "Of the run's clock, warm-up included.", JsonSchema.amount())
                .with("last_seconds", "The same, of the last look that found it.", JsonSchema.amount())
                .with("lines", "What was logged the first time.", JsonSchema.listOf(JsonSchema.text()))
                .object();
    }

    private static ObjectNode latency() {
        return new Fields()
                .with("samples", "Packets timed.", JsonSchema.count())
                .with("p50", "Median; null without samples.", orNull(JsonSchema.count()))
                .with("p99", "99th percentile; null without samples.", orNull(JsonSchema.count()))
                .with("max", "Null without samples.", orNull(JsonSchema.count()))
                .object();
    }

    private static ObjectNode dma() {
        return new Fields()
                .with("op", "As the device sees it.", names(Access.values()))
                .with("kind", "What was moved.", names(DmaKind.values()))
                .with("requests", "Requests.", JsonSchema.count())
                .with("bytes", "Bytes.", JsonSchema.count())
                .object();
    }

    private static ObjectNode exits() {
        return new Fields()
                .with(
                        "reason",
                        "As the Intel SDM and KVM's tracepoints call it.",
                        JsonSchema.oneOf(Arrays.stream(ExitReason.values())
                                .map(Enum::name)
                                .toList()))
                .with("detail", "The register or port, or -.", JsonSchema.text())
                .with("handler", "Where the exit is finished.", names(ExitHandler.values()))
                .with("count", "Exits.", JsonSchema.count())
                .with("time_ns", "From leaving the guest to being back, all of them.", JsonSchema.count())
                .object();
    }

    private static ObjectNode share() {
        Fields fields = new Fields();
        for (String figure : List.of("pps", "gbps", "latency_p50", "latency_p99", "cpu_ns_per_packet")) {
            fields.with(figure, "This path / native; null where native has none.", orNull(JsonSchema.amount()));
        }
        return fields.object();
    }

    private static ObjectNode iommu() {
        ObjectNode deviceTlb = counts(
                "hits",
                "misses",
                "translation_requests",
                "translated_requests",
                "untranslated_requests",
                "invalidations");
        ObjectNode guestUnit = counts(
                "maps",
                "map_exits",
                "unmaps",
                "unmap_exits",
                "invalidations",
                "table_walks",
                "host_maps",
                "host_unmaps",
                "host_invalidations",
                "faults");
        return countFields("iotlb_hits", "iotlb_misses", "walk_accesses", "faults", "invalidations")
                .optional("device_tlb", "Of an assigned NIC that caches translations itself.", deviceTlb)
                .optional(
                        "guest_unit", "Of a guest that sees a remapping unit, and what the host did for it.", guestUnit)
                .object();
    }

    private static ObjectNode counts(String... names) {
        return countFields(names).object();
    }

    private static Fields countFields(String... names) {
        Fields fields = new Fields();
        for (String name : names) {
            fields.with(name, "Count.", JsonSchema.count());
        }
        return fields;
    }

    private static ObjectNode each(Enum<?>[] constants, ObjectNode value) {
        Fields fields = new Fields();
        for (Enum<?> constant : constants) {
            fields.with(ResultJson.lower(constant), "Always present.", value.deepCopy());
        }
        return fields.object();
    }

    /** Documents of before there were polling threads lack their share. */
    private static ObjectNode processor() {
        Fields fields = new Fields();
        for (CpuShare share : CpuShare.values()) {
            if (share == CpuShare.POLLING) {
                fields.optional(share.label(), "Threads that look for work and find none.", JsonSchema.amount());
            } else {
                fields.with(share.label(), "Always present.", JsonSchema.amount());
            }
        }
        return fields.object();
    }

    private static ObjectNode names(Enum<?>[] constants) {
        return JsonSchema.oneOf(Arrays.stream(constants).map(ResultJson::lower).toList());
    }

    private static ObjectNode orNull(ObjectNode schema) {
        ObjectNode either = JsonNodeFactory.instance.objectNode();
        either.putArray("anyOf").add(schema).addObject().put("type", "null");
        return either;
    }

    /** The fields of one object, in the order of the document. */
    private static final class Fields {
        private final Map<String, ObjectNode> all = new LinkedHashMap<>();
        private final List<String> required = new ArrayList<>();

        Fields with(String name, String description, ObjectNode schema) {
            required.add(name);
            return optional(name, description, schema);
        }

        Fields optional(String name, String description, ObjectNode schema) {
            all.put(name, JsonSchema.described(description, schema));
            return this;
        }

        ObjectNode object() {
            return JsonSchema.object(all, required);
        }
    }
}

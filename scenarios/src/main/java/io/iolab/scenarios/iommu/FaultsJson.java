package io.iolab.scenarios.iommu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.devices.dma.RequesterId;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.SeenUnit;
import java.util.List;
import java.util.Locale;

/** The document {@code iolab.iommu-faults/1}. */
public final class FaultsJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.iommu-faults/1";

    private FaultsJson() {}

    /**
     * With a line feed at the end.
     *
     * @param source what was run to provoke them
     */
    public static String text(String source, ScenarioFaults faults, long others) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", SCHEMA);
        root.put("source", source);
        put(root.putArray("faults"), faults.host());
        root.put("other_records", others);
        ArrayNode guests = root.putArray("guest_faults");
        for (GuestFault fault : faults.guests()) {
            ObjectNode one = guests.addObject();
            one.put("guest", fault.guest());
            SeenUnit.Registers read = fault.registers();
            one.putObject("registers")
                    .put("fsts", "0x%08x".formatted(read.status()))
                    .put("index", read.index())
                    .put("frcd", "0x%016x%016x".formatted(read.high(), read.low()));
            put(one, fault.fault());
        }
        return ResultJson.text(root);
    }

    /** Appends an object for each kind of fault. */
    public static void put(ArrayNode into, List<ExplainedFault> faults) {
        faults.forEach(fault -> put(into.addObject(), fault));
    }

    private static void put(ObjectNode one, ExplainedFault fault) {
        FaultReport report = fault.report();
        FaultReason reason = report.reason();
        one.put("line", report.toString());
        one.put("records", fault.records());
        one.put("bdf", RequesterId.format(report.rid()));
        one.put("kind", report.ofInterrupt() ? "interrupt" : "dma");
        one.put("access", report.access().name().toLowerCase(Locale.ROOT));
        if (report.ofInterrupt()) {
            one.put("index", report.interruptIndex());
        } else {
            one.put("page", WalkJson.hex(report.iovaPage()));
        }
        if (report.pasid() != FaultReport.NO_PASID) {
            one.put("pasid", report.pasid());
        }
        one.put("reason_code", report.reasonCode());
        one.put("reason", reason == null ? "Unknown" : reason.text());
        one.put("words", fault.words());
        one.put("without_the_unit", fault.without());
        fault.walk().ifPresent(walk -> WalkJson.put(one.putObject("walk"), walk));
    }
}

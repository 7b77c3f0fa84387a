package io.iolab.scenarios.iommu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.devices.dma.RequesterId;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableStep;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.scenarios.result.ResultJson;
import java.util.Locale;

/** The document {@code iolab.iommu-walk/1}. Addresses and entries are text, as JSON numbers lose bits of them. */
public final class WalkJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.iommu-walk/1";

    private WalkJson() {}

    /** With a line feed at the end. */
    public static String text(TableWalk walk) {
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("schema", SCHEMA);
        put(root, walk);
        return ResultJson.text(root);
    }

    /** The fields of a walk into an object. */
    public static void put(ObjectNode into, TableWalk walk) {
        WalkRequest request = walk.request();
        into.put("bdf", RequesterId.format(request.rid()));
        if (request.pasid() != FaultReport.NO_PASID) {
            into.put("pasid", request.pasid());
        }
        into.put("iova", hex(request.iova()));
        into.put("access", request.access().name().toLowerCase(Locale.ROOT));
        into.put("address_type", request.type().name().toLowerCase(Locale.ROOT));
        into.put("page_request", request.pageRequest());
        into.put("execute", request.execute());
        into.put("privileged", request.privileged());
        into.put("mode", walk.mode());
        into.put("root_table", hex(walk.rootHpa()));
        ArrayNode steps = into.putArray("steps");
        walk.steps().forEach(step -> step(steps.addObject(), step));
        FaultReason reason = walk.reason();
        into.put("blocked", reason != null);
        if (reason != null) {
            reason(into, reason);
        } else if (walk.hpa() != -1) {
            into.put("hpa", hex(walk.hpa()));
            into.put("page_bytes", walk.pageShift() == 0 ? 0 : 1L << walk.pageShift());
        }
        into.put("decision", walk.decision());
    }

    private static void reason(ObjectNode into, FaultReason reason) {
        into.put("reason_code", reason.code());
        into.put("reason", reason.text());
    }

    private static void step(ObjectNode into, TableStep step) {
        into.put("structure", step.structure());
        into.put("table", hex(step.tableHpa()));
        into.put("index", step.index());
        into.put("address", hex(step.entryHpa()));
        ArrayNode words = into.putArray("words");
        step.words().forEach(word -> words.add(String.format("0x%016x", word)));
        ArrayNode fields = into.putArray("fields");
        step.fields().forEach(field -> {
            ObjectNode one = fields.addObject();
            one.put("name", field.name());
            one.put("bits", field.bits());
            one.put("value", hex(field.value()));
            one.put("meaning", field.meaning());
        });
        FaultReason reason = step.reason();
        if (reason != null) {
            reason(into, reason);
        }
        into.put("verdict", step.verdict());
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}

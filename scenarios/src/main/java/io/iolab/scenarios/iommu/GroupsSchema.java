package io.iolab.scenarios.iommu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.schema.JsonSchema;
import io.iolab.vmm.groups.GroupJoin;
import io.iolab.vmm.groups.PciNode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The JSON Schema of {@code iolab.iommu-groups/1}. */
public final class GroupsSchema {
    private static final String BDF = "^[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]$";
    private static final String ID = "^[0-9a-f]{4}$";

    private GroupsSchema() {}

    /** A new, mutable tree. */
    public static ObjectNode document() {
        Map<String, ObjectNode> group = new LinkedHashMap<>();
        group.put("group", JsonSchema.count());
        group.put("members", JsonSchema.listOf(member()));
        group.put("joins", JsonSchema.listOf(join()));
        Map<String, ObjectNode> root = new LinkedHashMap<>();
        root.put("schema", JsonSchema.constant(GroupsJson.SCHEMA));
        root.put("name", JsonSchema.text());
        root.put("description", JsonSchema.text());
        root.put("groups", JsonSchema.listOf(JsonSchema.object(group, group.keySet())));
        return JsonSchema.document("IOMMU groups", JsonSchema.object(root, root.keySet()));
    }

    private static ObjectNode services() {
        return JsonSchema.listOf(JsonSchema.oneOf(List.of("SV", "TB", "RR", "CR", "UF", "EC", "DT")));
    }

    private static ObjectNode member() {
        Map<String, ObjectNode> acs = new LinkedHashMap<>();
        acs.put("capability", services());
        acs.put("control", services());
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("bdf", JsonSchema.pattern(BDF));
        fields.put("vendor", JsonSchema.pattern(ID));
        fields.put("device", JsonSchema.pattern(ID));
        fields.put("type", names(PciNode.PortType.values()));
        fields.put("multi_function", JsonSchema.flag());
        fields.put(
                "requester_ids",
                JsonSchema.described(
                        "What an IOMMU may see on its requests; its own first.",
                        JsonSchema.listOf(JsonSchema.pattern(BDF))));
        List<String> required = List.copyOf(fields.keySet());
        fields.put("virtual_function_of", JsonSchema.pattern(BDF));
        fields.put("acs", JsonSchema.object(acs, acs.keySet()));
        return JsonSchema.object(fields, required);
    }

    private static ObjectNode join() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("from", JsonSchema.pattern(BDF));
        fields.put("to", JsonSchema.pattern(BDF));
        fields.put("cause", names(GroupJoin.Cause.values()));
        fields.put("blame", JsonSchema.described("The function that is the reason.", JsonSchema.pattern(BDF)));
        fields.put(
                "missing_acs",
                JsonSchema.described("Services that would have to be on in it; empty if none would help.", services()));
        fields.put("text", JsonSchema.text());
        return JsonSchema.object(fields, fields.keySet());
    }

    private static ObjectNode names(Enum<?>[] values) {
        return JsonSchema.oneOf(Arrays.stream(values)
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .toList());
    }
}

package io.iolab.scenarios.iommu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.schema.JsonSchema;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code iolab.iommu-walk/1} and {@code iolab.iommu-faults/1} are. */
public final class FaultsSchema {
    private static final String BDF = "^[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]$";
    private static final String HEX = "^0x[0-9a-f]+$";
    private static final int LARGEST_PASID = (1 << 20) - 1;
    private static final int LARGEST_INDEX = 0xFFFF;
    private static final int LARGEST_REASON = 0xFF;

    private FaultsSchema() {}

    /** JSON Schema of {@link WalkJson}. */
    public static ObjectNode walkDocument() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("schema", JsonSchema.constant(WalkJson.SCHEMA));
        List<String> required = new ArrayList<>(List.of("schema"));
        required.addAll(walkFields(fields));
        return JsonSchema.document("The walk of a DMA request", JsonSchema.object(fields, required));
    }

    /** JSON Schema of {@link FaultsJson}. */
    public static ObjectNode faultsDocument() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("schema", JsonSchema.constant(FaultsJson.SCHEMA));
        fields.put("source", JsonSchema.text());
        fields.put("faults", faults());
        fields.put("other_records", JsonSchema.count());
        List<String> required = List.copyOf(fields.keySet());
        fields.put("guest_faults", guestFaults());
        return JsonSchema.document("Faults of an IOMMU, by kind", JsonSchema.object(fields, required));
    }

    private static ObjectNode guestFaults() {
        Map<String, ObjectNode> registers = new LinkedHashMap<>();
        registers.put("fsts", JsonSchema.pattern("^0x[0-9a-f]{8}$"));
        registers.put("index", JsonSchema.described("Of the fault recording register.", JsonSchema.count()));
        registers.put("frcd", JsonSchema.pattern("^0x[0-9a-f]{32}$"));
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("guest", JsonSchema.text());
        fields.put(
                "registers",
                JsonSchema.described(
                        "As the guest's processor read them.", JsonSchema.object(registers, registers.keySet())));
        List<String> required = new ArrayList<>(fields.keySet());
        required.addAll(faultFields(fields));
        return JsonSchema.described(
                "Read by guests from the units that they see, in their names of requester and page.",
                JsonSchema.listOf(JsonSchema.object(fields, required)));
    }

    private static List<String> walkFields(Map<String, ObjectNode> fields) {
        List<String> required = List.of(
                "bdf",
                "iova",
                "access",
                "address_type",
                "page_request",
                "execute",
                "privileged",
                "mode",
                "root_table",
                "steps",
                "blocked",
                "decision");
        fields.put("bdf", JsonSchema.pattern(BDF));
        fields.put("pasid", JsonSchema.integer(0, LARGEST_PASID));
        fields.put("iova", JsonSchema.pattern(HEX));
        fields.put("access", JsonSchema.oneOf(List.of("read", "write")));
        fields.put("address_type", JsonSchema.oneOf(List.of("untranslated", "translation_request", "translated")));
        fields.put("page_request", JsonSchema.flag());
        fields.put("execute", JsonSchema.flag());
        fields.put("privileged", JsonSchema.flag());
        fields.put("mode", JsonSchema.oneOf(List.of("legacy", "scalable", "reserved", "abort", "interrupt")));
        fields.put("root_table", JsonSchema.pattern(HEX));
        fields.put("steps", JsonSchema.listOf(step()));
        fields.put("blocked", JsonSchema.flag());
        reason(fields);
        fields.put("hpa", JsonSchema.described("Where it leads.", JsonSchema.pattern(HEX)));
        fields.put("page_bytes", JsonSchema.described("0 where no page table was used.", JsonSchema.count()));
        fields.put("decision", JsonSchema.text());
        return required;
    }

    private static void reason(Map<String, ObjectNode> fields) {
        fields.put("reason_code", JsonSchema.integer(0, LARGEST_REASON));
        fields.put("reason", JsonSchema.text());
    }

    private static ObjectNode step() {
        Map<String, ObjectNode> field = new LinkedHashMap<>();
        field.put("name", JsonSchema.text());
        field.put("bits", JsonSchema.pattern("^[0-9]+(:[0-9]+)?$"));
        field.put("value", JsonSchema.pattern(HEX));
        field.put("meaning", JsonSchema.text());
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        fields.put("structure", JsonSchema.text());
        fields.put("table", JsonSchema.pattern(HEX));
        fields.put("index", JsonSchema.count());
        fields.put("address", JsonSchema.pattern(HEX));
        fields.put(
                "words",
                JsonSchema.described(
                        "64 bits each, the lowest first.", JsonSchema.listOf(JsonSchema.pattern("^0x[0-9a-f]{16}$"))));
        fields.put("fields", JsonSchema.listOf(JsonSchema.object(field, field.keySet())));
        fields.put("verdict", JsonSchema.text());
        List<String> required = List.copyOf(fields.keySet());
        reason(fields);
        return JsonSchema.object(fields, required);
    }

    /** A walk, as every document here has it. */
    public static ObjectNode walk() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        List<String> required = walkFields(fields);
        return JsonSchema.object(fields, required);
    }

    /** A list of faults, as every document here has it. */
    public static ObjectNode faults() {
        Map<String, ObjectNode> fields = new LinkedHashMap<>();
        List<String> required = faultFields(fields);
        return JsonSchema.listOf(JsonSchema.object(fields, required));
    }

    private static List<String> faultFields(Map<String, ObjectNode> fields) {
        List<String> required = List.of(
                "line", "records", "bdf", "kind", "access", "reason_code", "reason", "words", "without_the_unit");
        fields.put("line", JsonSchema.described("What Linux would log.", JsonSchema.text()));
        fields.put("records", JsonSchema.count());
        fields.put("bdf", JsonSchema.pattern(BDF));
        fields.put("kind", JsonSchema.oneOf(List.of("dma", "interrupt")));
        fields.put("access", JsonSchema.oneOf(List.of("read", "write")));
        reason(fields);
        fields.put("words", JsonSchema.text());
        fields.put("without_the_unit", JsonSchema.text());
        fields.put("index", JsonSchema.integer(0, LARGEST_INDEX));
        fields.put("page", JsonSchema.pattern(HEX));
        fields.put("pasid", JsonSchema.integer(0, LARGEST_PASID));
        fields.put("walk", walk());
        return required;
    }
}

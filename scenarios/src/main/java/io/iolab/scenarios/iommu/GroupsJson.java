package io.iolab.scenarios.iommu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.groups.GroupJoin;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciNode;
import java.util.Locale;

/** The document {@code iolab.iommu-groups/1}. */
public final class GroupsJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.iommu-groups/1";

    private GroupsJson() {}

    /** With a line feed at the end. */
    public static String text(GroupsReport report) {
        return ResultJson.text(document(report));
    }

    static ObjectNode document(GroupsReport report) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("schema", SCHEMA);
        root.put("name", report.name());
        root.put("description", report.description());
        ArrayNode groups = root.putArray("groups");
        for (IommuGroups.Group group : report.groups().groups()) {
            ObjectNode one = groups.addObject().put("group", group.number());
            ArrayNode members = one.putArray("members");
            group.members().forEach(node -> member(members.addObject(), node, report.groups()));
            ArrayNode joins = one.putArray("joins");
            report.groups().joinsOf(group).forEach(join -> join(joins.addObject(), join));
        }
        return root;
    }

    private static void member(ObjectNode into, PciNode node, IommuGroups groups) {
        into.put("bdf", node.name());
        into.put("vendor", String.format("%04x", node.id() & 0xFFFF));
        into.put("device", String.format("%04x", node.id() >>> 16));
        into.put("type", node.port().name().toLowerCase(Locale.ROOT));
        into.put("multi_function", node.multiFunction());
        PciNode physical = node.physical();
        if (physical != null) {
            into.put("virtual_function_of", physical.name());
        }
        ArrayNode ids = into.putArray("requester_ids");
        groups.requesterIds(node).forEach(rid -> ids.add(io.iolab.devices.dma.RequesterId.format(rid)));
        node.accessControl().ifPresent(acs -> {
            ObjectNode services = into.putObject("acs");
            services(services.putArray("capability"), acs.capability());
            services(services.putArray("control"), acs.control());
        });
    }

    private static void join(ObjectNode into, GroupJoin join) {
        into.put("from", join.from().name());
        into.put("to", join.to().name());
        into.put("cause", join.cause().name().toLowerCase(Locale.ROOT));
        into.put("blame", join.blame().name());
        services(into.putArray("missing_acs"), join.missing());
        into.put("text", join.text());
    }

    private static void services(ArrayNode into, int services) {
        GroupJoin.serviceNames(services).forEach(into::add);
    }
}

package io.iolab.scenarios.iommu;

import io.iolab.vmm.groups.GroupJoin;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.groups.PciNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Groups as a table, and the reasons in sentences. */
public final class GroupsText {
    private GroupsText() {}

    /** With a line feed at the end. */
    public static String of(GroupsReport report) {
        StringBuilder out = new StringBuilder();
        out.append(report.name()).append(": ").append(report.description()).append("\n\n");
        out.append(String.format("%5s  %-7s  %-9s  %-32s  %s%n", "GROUP", "DEVICE", "ID", "WHAT", "ACS"));
        for (IommuGroups.Group group : report.groups().groups()) {
            for (PciNode node : group.members()) {
                out.append(String.format(
                        "%5d  %-7s  %04x:%04x  %-32s  %s%n",
                        group.number(),
                        node.name(),
                        node.id() & 0xFFFF,
                        node.id() >>> 16,
                        what(node),
                        accessControl(node)));
            }
        }
        if (report.groups().groups().isEmpty()) {
            out.append("       no physical function: nothing to assign\n");
        }
        for (IommuGroups.Group group : report.groups().groups()) {
            reasons(out, report.groups(), group);
        }
        return out.toString();
    }

    private static String what(PciNode node) {
        String what = node.physical() == null
                ? node.port().text()
                : "virtual function of " + node.physical().name();
        return node.multiFunction() ? what + ", multi-function" : what;
    }

    private static String accessControl(PciNode node) {
        return node.accessControl()
                .map(acs -> {
                    List<String> on = GroupJoin.serviceNames(acs.control());
                    List<String> off = GroupJoin.serviceNames(acs.capability() & ~acs.control());
                    return (on.isEmpty() ? "" : "on: " + String.join(" ", on))
                            + (on.isEmpty() || off.isEmpty() ? "" : "; ")
                            + (off.isEmpty() ? "" : "off: " + String.join(" ", off));
                })
                .orElse("-");
    }

    private static void reasons(StringBuilder out, IommuGroups groups, IommuGroups.Group group) {
        List<GroupJoin> joins = groups.joinsOf(group);
        if (joins.isEmpty()) {
            return;
        }
        out.append("\nGroup ").append(group.number()).append(" is one because\n");
        Map<String, Set<String>> joinedBy = new LinkedHashMap<>();
        for (GroupJoin join : joins) {
            Set<String> joined = joinedBy.computeIfAbsent(join.problem(), problem -> new TreeSet<>());
            joined.add(join.from().name());
            joined.add(join.to().name());
        }
        joinedBy.forEach((problem, joined) -> out.append("  ")
                .append(problem)
                .append("\n    joins ")
                .append(String.join(" ", joined))
                .append('\n'));
    }
}

package io.iolab.vmm.groups;

import io.iolab.devices.dma.RequesterId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The groups of a hierarchy. Two functions are joined if
 *
 * <ol>
 *   <li>the requests of one carry a requester id of the other: a PCI Express to PCI bridge above it, or a quirk;
 *   <li>one is a bridge above the other and somewhere between it and the root a port lets requests turn round, so that what is below it
 *       can reach its peers without the IOMMU;
 *   <li>they are functions of one device and neither is known to keep its requests to itself;
 *   <li>one is a downstream or root port that lets requests turn round, the other a sibling port of the switch, or of the same root complex
 *       device, or something behind that: what is below the first reaches it. (Linux up to 6.1 asks whether both ports are open, and
 *       for a switch only if its ports are functions of one device; a request does not care.)
 * </ol>
 *
 * <p>A group is whatever joins connect, directly or through others. Groups are numbered by their lowest requester id.
 */
public final class IommuGroups {
    private final Quirks quirks;
    private final PciTree tree;
    private final List<GroupJoin> joins = new ArrayList<>();
    private final Map<Integer, Group> groups = new TreeMap<>();

    /**
     * A group.
     *
     * @param number from 0
     * @param members in order of requester ids
     */
    public record Group(int number, List<PciNode> members) {
        /** The members that are not bridges or ports: what can be assigned. */
        public List<PciNode> assignable() {
            return members.stream().filter(node -> !node.isBridge()).toList();
        }
    }

    private IommuGroups(PciTree tree, Quirks quirks) {
        this.tree = tree;
        this.quirks = quirks;
        tree.nodes().forEach(this::join);
        number();
    }

    public static IommuGroups of(PciTree tree, Quirks quirks) {
        return new IommuGroups(tree, quirks);
    }

    private void join(PciNode node) {
        PciNode top = aliases(node);
        PciNode reached = climb(node, top);
        quirkAliases(node);
        if (reached == node) {
            functions(node);
        }
        peers(node);
    }

    /** @return the topmost function whose requester id the node's requests may carry */
    private PciNode aliases(PciNode node) {
        PciNode top = node;
        for (PciNode bridge = node.bridge(); bridge != null; bridge = bridge.bridge()) {
            boolean express = bridge.port() == PciNode.PortType.PCIE_TO_PCI_BRIDGE;
            if (express || bridge.port() == PciNode.PortType.CONVENTIONAL) {
                joins.add(new GroupJoin(node, bridge, GroupJoin.Cause.DMA_ALIAS, bridge, 0));
                top = bridge;
            }
        }
        return top;
    }

    private PciNode climb(PciNode node, PciNode from) {
        PciNode reached = from;
        for (PciNode bridge = from.bridge(); bridge != null; bridge = bridge.bridge()) {
            PciNode open = openTowardsRoot(bridge);
            if (open == null) {
                break;
            }
            GroupJoin.Cause cause = open.port().neverIsolates()
                    ? GroupJoin.Cause.CANNOT_ISOLATE
                    : open.accessControl().isPresent()
                            ? GroupJoin.Cause.ACS_SERVICES_OFF
                            : GroupJoin.Cause.NO_ACS_CAPABILITY;
            int missing = open.port().neverIsolates() ? 0 : open.missing();
            joins.add(new GroupJoin(node, bridge, cause, open, missing));
            reached = bridge;
        }
        return reached;
    }

    /** The first of this bridge and those above it that does not isolate. */
    private @Nullable PciNode openTowardsRoot(PciNode bridge) {
        for (PciNode at = bridge; at != null; at = at.bridge()) {
            if (!isolated(at)) {
                return at;
            }
        }
        return null;
    }

    private boolean isolated(PciNode node) {
        return node.isolated() || quirks.isolated().contains(node.id());
    }

    private void quirkAliases(PciNode node) {
        Integer devfn = quirks.aliases().get(node.id());
        if (devfn != null) {
            tree.node(RequesterId.bus(node.rid()) << 8 | devfn)
                    .filter(other -> other != node)
                    .ifPresent(other -> joins.add(new GroupJoin(node, other, GroupJoin.Cause.QUIRK_ALIAS, node, 0)));
        }
    }

    private void functions(PciNode node) {
        if (!node.multiFunction() || isolated(node)) {
            return;
        }
        for (PciNode other : tree.nodes()) {
            boolean sameDevice = other.rid() >>> 3 == node.rid() >>> 3 && other.physical() == null;
            if (other.rid() > node.rid() && sameDevice && !isolated(other)) {
                joins.add(new GroupJoin(node, other, GroupJoin.Cause.MULTI_FUNCTION, node, node.missing()));
            }
        }
    }

    private void peers(PciNode port) {
        if (!port.port().isDownstream() || isolated(port)) {
            return;
        }
        for (PciNode other : tree.nodes()) {
            PciNode below = other;
            while (below.bridge() != null && below.bridge() != port.bridge()) {
                below = below.bridge();
            }
            if (below != port && below.bridge() == port.bridge() && turnsTo(port, below)) {
                joins.add(new GroupJoin(port, other, GroupJoin.Cause.PEER_OF_PORT, port, port.missing()));
            }
        }
    }

    /** The ports of a switch are one device, whatever their numbers say; root ports are if their numbers say so. */
    private static boolean turnsTo(PciNode port, PciNode sibling) {
        return port.port() == PciNode.PortType.DOWNSTREAM_PORT || sibling.rid() >>> 3 == port.rid() >>> 3;
    }

    private void number() {
        List<PciNode> byRid = tree.nodes().stream()
                .sorted(java.util.Comparator.comparingInt(PciNode::rid))
                .toList();
        int next = 0;
        for (PciNode node : byRid) {
            if (!groups.containsKey(node.rid())) {
                Map<Integer, GroupJoin> reached = reach(node);
                List<PciNode> members = byRid.stream()
                        .filter(other -> other == node || reached.containsKey(other.rid()))
                        .toList();
                Group group = new Group(next++, members);
                members.forEach(member -> groups.put(member.rid(), group));
            }
        }
    }

    /** Breadth first: for each function that joins lead to, the join by which it was reached first. */
    private Map<Integer, GroupJoin> reach(PciNode start) {
        Map<Integer, GroupJoin> by = new HashMap<>();
        Deque<PciNode> open = new ArrayDeque<>(List.of(start));
        while (!open.isEmpty()) {
            PciNode at = open.remove();
            for (GroupJoin join : joins) {
                PciNode other = join.from() == at ? join.to() : join.to() == at ? join.from() : null;
                if (other != null && other != start && by.putIfAbsent(other.rid(), join) == null) {
                    open.add(other);
                }
            }
        }
        return by;
    }

    /**
     * The requester ids that an IOMMU may see on requests of a function: its own, a bridge's alias, a quirk's.
     *
     * @return its own first
     */
    public List<Integer> requesterIds(PciNode node) {
        List<Integer> rids = new ArrayList<>(List.of(node.rid()));
        Integer devfn = quirks.aliases().get(node.id());
        if (devfn != null) {
            rids.add(RequesterId.bus(node.rid()) << 8 | devfn);
        }
        for (PciNode bridge = node.bridge(); bridge != null; bridge = bridge.bridge()) {
            if (bridge.port() == PciNode.PortType.PCIE_TO_PCI_BRIDGE) {
                rids.add(
                        quirks.ownAlias().contains(bridge.id())
                                ? bridge.rid()
                                : RequesterId.of(bridge.secondaryBus(), 0, 0));
            }
        }
        return rids.stream().distinct().toList();
    }

    /** All groups by number. */
    public List<Group> groups() {
        Map<Integer, Group> byNumber = new LinkedHashMap<>();
        groups.values().forEach(group -> byNumber.putIfAbsent(group.number(), group));
        return byNumber.values().stream()
                .sorted(java.util.Comparator.comparingInt(Group::number))
                .toList();
    }

    /** The group of a function; empty if there is no such function. */
    public Optional<Group> groupOf(int rid) {
        return Optional.ofNullable(groups.get(rid));
    }

    /** Every join that was found. */
    public List<GroupJoin> joins() {
        return List.copyOf(joins);
    }

    /** The joins among the members of one group. */
    public List<GroupJoin> joinsOf(Group group) {
        return joins.stream()
                .filter(join -> groups.get(join.from().rid()) == group)
                .toList();
    }

    /**
     * Why two functions share a group: the shortest chain of joins from one to the other.
     *
     * @return empty if they do not, or one of them does not exist
     */
    public List<GroupJoin> explain(int rid, int otherRid) {
        Optional<PciNode> start = tree.node(rid);
        if (start.isEmpty() || groups.get(rid) != groups.get(otherRid) || rid == otherRid) {
            return List.of();
        }
        Map<Integer, GroupJoin> reached = reach(start.get());
        List<GroupJoin> chain = new ArrayList<>();
        int at = otherRid;
        while (at != rid) {
            GroupJoin join = java.util.Objects.requireNonNull(reached.get(at));
            chain.add(join);
            at = join.from().rid() == at ? join.to().rid() : join.from().rid();
        }
        Collections.reverse(chain);
        return chain;
    }
}

package io.iolab.scenarios.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.policy.PolicyBench;
import io.iolab.vmm.policy.PolicyResult;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.CostProfile;
import java.util.List;

/** The document {@code iolab.bench.iommu-policy/1}. Counts are per packet. */
public final class PolicyJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.bench.iommu-policy/1";

    private static final List<Cost> CHARGED = List.of(
            Cost.GUEST_TX_PACKET,
            Cost.GUEST_RX_PACKET,
            Cost.COPY_CALL,
            Cost.COPY_BYTE,
            Cost.IOMMU_WALK_ACCESS,
            Cost.IOMMU_INVALIDATE,
            Cost.IOMMU_IOVA_ALLOC,
            Cost.IOMMU_IOVA_CACHED,
            Cost.IOMMU_MAP_PAGE,
            Cost.IOMMU_UNMAP_PAGE,
            Cost.IOMMU_DEFER);

    private PolicyJson() {}

    /** With a line feed at the end. */
    public static String text(List<PolicyResult> results, CostProfile profile, String version) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("schema", SCHEMA);
        root.put("version", version);
        root.put("line_bits_per_second", PolicyBench.LINE_RATE);
        root.put("ring", PolicyBench.RING);
        ObjectNode costs = root.putObject("profile").put("name", profile.name()).putObject("costs");
        for (Cost cost : CHARGED) {
            CostProfile.Entry entry = profile.entry(cost);
            costs.putObject(cost.key())
                    .put("value", entry.value())
                    .put("unit", entry.unit())
                    .put("source", entry.source())
                    .put("confidence", entry.confidence());
        }
        ArrayNode cases = root.putArray("cases");
        for (PolicyResult result : results) {
            ObjectNode one = cases.addObject()
                    .put("policy", result.plan().policy().label())
                    .put("buffer_bytes", result.plan().bufferBytes())
                    .put("packet_bytes", result.plan().packetBytes())
                    .put("packets", result.packets())
                    .put("packets_per_second", result.packetsPerSecond())
                    .put("packets_per_second_mapping_alone", result.packetsPerSecondOfMapping())
                    .put("mapping_ns", result.nanosPerPacket())
                    .put("iotlb_invalidations", result.perPacket(result.invalidations()))
                    .put("iotlb_misses", result.perPacket(result.misses()))
                    .put("walk_accesses", result.perPacket(result.walkAccesses()))
                    .put("copied_bytes", result.perPacket(result.copiedBytes()));
            if (result.plan().policy() != DmaPolicy.PASS_THROUGH) {
                // Passed through, all of memory is reachable for ever.
                one.put("stale_page_ns", result.perPacket(result.stalePageNanos()))
                        .put("longest_stale_ns", result.longestStaleNanos())
                        .put("exposed_bytes", result.perPacket(result.neighbourBytes()));
            }
        }
        ArrayNode published = root.putArray("published");
        for (PublishedFigure figure : PublishedFigure.ofMappingPolicies()) {
            published.addObject().put("figure", figure.figure()).put("source", figure.source());
        }
        return ResultJson.text(root);
    }
}

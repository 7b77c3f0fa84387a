package io.iolab.scenarios.bench;

import io.iolab.iommu.driver.DmaPolicy;
import io.iolab.scenarios.result.TextTable;
import io.iolab.vmm.policy.PolicyCase;
import io.iolab.vmm.policy.PolicyResult;
import java.util.List;
import java.util.Locale;

/** The comparison of mapping policies for people. */
public final class PolicyTable {
    private static final double MILLION = 1e6;
    private static final double NANOS_PER_MICRO = 1e3;

    private PolicyTable() {}

    /** Figures of every case, what they mean, and what others published. */
    public static String render(List<PolicyResult> results) {
        TextTable table = new TextTable()
                .text("policy")
                .text("buffer")
                .number("bytes")
                .number("Mpps")
                .number("share")
                .number("ns/packet")
                .number("Mpps alone")
                .number("inval")
                .number("misses")
                .number("walk")
                .number("stale ns*pages")
                .number("stale us max")
                .number("exposed B")
                .number("copied B");
        for (PolicyResult result : results) {
            table.row(
                    result.plan().policy().label(),
                    buffer(result.plan()),
                    result.plan().packetBytes(),
                    format("%.3f", result.packetsPerSecond() / MILLION),
                    share(result, results),
                    format("%.1f", result.nanosPerPacket()),
                    format("%.3f", result.packetsPerSecondOfMapping() / MILLION),
                    format("%.4f", result.perPacket(result.invalidations())),
                    format("%.4f", result.perPacket(result.misses())),
                    format("%.4f", result.perPacket(result.walkAccesses())),
                    open(result) ? "always" : format("%.0f", result.perPacket(result.stalePageNanos())),
                    open(result) ? "always" : format("%.1f", result.longestStaleNanos() / NANOS_PER_MICRO),
                    open(result) ? "all" : format("%.0f", result.perPacket(result.neighbourBytes())),
                    format("%.0f", result.perPacket(result.copiedBytes())));
        }
        return table.render() + legend() + published();
    }

    /** Nothing is closed: there is no window to measure. */
    private static boolean open(PolicyResult result) {
        return result.plan().policy() == DmaPolicy.PASS_THROUGH;
    }

    private static String buffer(PolicyCase plan) {
        return plan.bufferBytes() == PolicyCase.SMALL_BUFFER ? "4 KiB" : "2 MiB";
    }

    /** Of what pass-through reaches in the same case, or nothing if that was not run. */
    private static String share(PolicyResult result, List<PolicyResult> results) {
        for (PolicyResult other : results) {
            if (other.plan()
                    .equals(new PolicyCase(
                            DmaPolicy.PASS_THROUGH,
                            result.plan().bufferBytes(),
                            result.plan().packetBytes()))) {
                return format("%.0f %%", 100 * result.packetsPerSecond() / other.packetsPerSecond());
            }
        }
        return "-";
    }

    private static String legend() {
        return """

                  Mpps: both directions of a 10 Gbit/s line, one processor that also does the rest of a packet's work; share: of passthrough.
                  ns/packet: the processor's time in map and unmap; Mpps alone: if it did nothing else. 2 MiB: 1024 packets share a buffer,
                  and each stays reachable until all are done.
                  inval, misses, walk: IOTLB invalidations, IOTLB misses and table entries read a packet.
                  stale: reachable after unmap had returned, a packet and the longest; exposed: reachable with a packet though no part of it.
                """;
    }

    private static String published() {
        StringBuilder out = new StringBuilder("\n  Published, not used for tuning:\n");
        for (PublishedFigure figure : PublishedFigure.ofMappingPolicies()) {
            out.append("    ")
                    .append(figure.figure())
                    .append("  [")
                    .append(figure.source())
                    .append("]\n");
        }
        return out.toString();
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}

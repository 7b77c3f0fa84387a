package io.iolab.scenarios.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.vmm.time.CostProfile;
import io.iolab.vmm.viommu.ViommuResult;
import java.util.List;

/** The document {@code iolab.bench.viommu/1}. Figures are sums over all calls of a case. */
public final class ViommuJson {
    /** What its field {@code schema} says. */
    public static final String SCHEMA = "iolab.bench.viommu/1";

    private static final long PICOS_PER_NANO = 1000;

    private ViommuJson() {}

    /** With a line feed at the end. */
    public static String text(List<ViommuResult> results, CostProfile profile, String version) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("schema", SCHEMA);
        root.put("version", version);
        root.put("profile", profile.name());
        ArrayNode cases = root.putArray("cases");
        for (ViommuResult result : results) {
            ObjectNode one = cases.addObject()
                    .put("translation", result.mode().label())
                    .put("pages", result.pages())
                    .put("calls", result.calls());
            share(one.putObject("map"), result.map());
            share(one.putObject("unmap"), result.unmap());
        }
        return ResultJson.text(root);
    }

    private static void share(ObjectNode into, ViommuResult.Share share) {
        into.put("exits", share.exits())
                .put("exit_ns", share.exitPicos() / PICOS_PER_NANO)
                .put("invalidations", share.invalidations())
                .put("shadow_walks", share.shadowWalks())
                .put("entries_read", share.entriesRead())
                .put("physical_invalidations", share.physicalInvalidations());
    }
}

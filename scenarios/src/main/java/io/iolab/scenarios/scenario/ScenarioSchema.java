package io.iolab.scenarios.scenario;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.schema.JsonSchema;

/** The published JSON Schema of scenario files, made from the keys that the reader reads. */
public final class ScenarioSchema {
    private ScenarioSchema() {}

    /** A new tree each time. */
    public static ObjectNode document() {
        return JsonSchema.document("iolab scenario, version 1", Key.mapping(ScenarioKeys.ALL));
    }
}

package io.iolab.scenarios.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;

/** Whether a document is what its schema says. */
public final class SchemaCheck {
    private SchemaCheck() {}

    /**
     * Where {@code document} departs from {@code schema}; empty if nowhere. Each entry names the place as a JSON pointer.
     */
    public static List<String> problems(JsonNode schema, JsonNode document) {
        Schema compiled = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schema);
        return compiled.validate(document).stream().map(SchemaCheck::text).toList();
    }

    private static String text(Error error) {
        String place = error.getInstanceLocation().toString();
        return (place.isEmpty() ? "/" : place) + ": " + error.getMessage();
    }
}

package io.iolab.scenarios.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** A dashboard as it lies in grafana/dashboards. */
record Dashboard(String file, JsonNode json) {

    /** One query of one panel. */
    record Query(String panel, String expression, String legend) {
        @Override
        public String toString() {
            return panel + ": " + expression;
        }
    }

    /** The folder grafana of the checkout that this runs in. */
    static Path folder() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(at.resolve("grafana/dashboards"))) {
            at = Objects.requireNonNull(at.getParent(), "no folder grafana/dashboards here or above");
        }
        return at.resolve("grafana");
    }

    static List<Dashboard> all() throws IOException {
        List<Dashboard> all = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder().resolve("dashboards"))) {
            for (Path file : files.sorted().toList()) {
                all.add(new Dashboard(file.getFileName().toString(), new ObjectMapper().readTree(file.toFile())));
            }
        }
        return all;
    }

    List<JsonNode> panels() {
        List<JsonNode> panels = new ArrayList<>();
        json.path("panels").forEach(panels::add);
        return panels;
    }

    /** The panels that show data. */
    List<JsonNode> dataPanels() {
        return panels().stream()
                .filter(panel ->
                        !List.of("row", "text").contains(panel.path("type").asText()))
                .toList();
    }

    List<Query> queries() {
        List<Query> queries = new ArrayList<>();
        for (JsonNode panel : dataPanels()) {
            for (JsonNode target : panel.path("targets")) {
                queries.add(new Query(
                        panel.path("title").asText(),
                        target.path("expr").asText(),
                        target.path("legendFormat").asText()));
            }
        }
        return queries;
    }

    List<JsonNode> variables() {
        List<JsonNode> variables = new ArrayList<>();
        json.path("templating").path("list").forEach(variables::add);
        return variables;
    }

    @Override
    public String toString() {
        return file;
    }
}

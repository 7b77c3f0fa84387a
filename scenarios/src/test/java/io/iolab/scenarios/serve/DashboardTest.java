package io.iolab.scenarios.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.iolab.vmm.metrics.LabMeter;
import io.iolab.vmm.metrics.MeterTag;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The dashboards by the rules of Grafana's dashboard-linter, and against the catalogue of meters. */
class DashboardTest {
    /** Series by name, with the labels that each carries; Prometheus adds job and instance to all. */
    private static final Map<String, LabMeter> SERIES = Arrays.stream(LabMeter.values())
            .flatMap(meter -> meter.series().stream().map(name -> Map.entry(name, meter)))
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

    private static final Set<String> OF_SCRAPE = Set.of("job", "instance");
    /** A series with its matchers and, if there is one, its range. */
    private static final Pattern SELECTOR =
            Pattern.compile("(?<series>iolab_\\w+)(?:\\{(?<matchers>[^}]*)})?(?<range>\\[[^]]*])?");

    private static final Pattern MATCHER = Pattern.compile("(\\w+)\\s*(?:=~|!~|!=|=)\\s*\"[^\"]*\"");
    private static final Pattern GROUPING = Pattern.compile("\\b(?:by|on|group_left)\\s*\\(([^)]*)\\)");
    private static final Pattern LEGEND_LABEL = Pattern.compile("\\{\\{\\s*(\\w+)\\s*}}");

    static List<Dashboard> dashboards() throws IOException {
        return Dashboard.all();
    }

    static List<Dashboard.Query> queries() throws IOException {
        return Dashboard.all().stream()
                .flatMap(dashboard -> dashboard.queries().stream())
                .toList();
    }

    private static Set<String> labels(LabMeter meter, String series) {
        Set<String> labels = meter.tags().stream().map(MeterTag::key).collect(Collectors.toCollection(HashSet::new));
        labels.addAll(OF_SCRAPE);
        if (series.endsWith("_bucket")) {
            labels.add("le");
        }
        return labels;
    }

    private static List<MatchResult> find(Pattern pattern, String text) {
        return pattern.matcher(text).results().toList();
    }

    private static List<String> texts(JsonNode array, Function<JsonNode, String> text) {
        return StreamSupport.stream(array.spliterator(), false).map(text).toList();
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    @DisplayName("uneditable, with an identity of its own and no input to fill in")
    void shouldBeProvisionedAsItIs(Dashboard dashboard) {
        JsonNode json = dashboard.json();

        assertThat(json.path("id").isNull()).isTrue();
        assertThat(json.path("uid").asText() + ".json").isEqualTo(dashboard.file());
        assertThat(json.path("editable").asBoolean(true)).isFalse();
        assertThat(json.path("schemaVersion").asInt()).isGreaterThanOrEqualTo(39);
        assertThat(json.path("title").asText()).isNotBlank();
        assertThat(json.path("timezone").asText()).isEqualTo("browser");
        assertThat(json.path("refresh").asText()).isNotBlank();
        assertThat(texts(json.path("tags"), JsonNode::asText)).contains("iolab");
        assertThat(json.has("__inputs")).isFalse();
        assertThat(json.toString()).doesNotContain("${DS_");
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    @DisplayName("variables datasource, job, instance, guest and path, loaded anew when the time range changes")
    void shouldHaveTheVariablesThatQueriesUse(Dashboard dashboard) {
        assertThat(dashboard.variables())
                .extracting(variable -> variable.path("name").asText())
                .containsExactly("datasource", "job", "instance", "guest", "path");
        assertThat(dashboard.variables().getFirst().path("query").asText()).isEqualTo("prometheus");
        assertThat(dashboard.variables().subList(1, 5)).allSatisfy(variable -> {
            String query = variable.path("definition").asText();
            assertThat(variable.path("query").path("query").asText()).isEqualTo(query);
            assertThat(variable.path("datasource").path("uid").asText()).isEqualTo("${datasource}");
            assertThat(variable.path("label").asText()).isNotBlank();
            assertThat(variable.path("multi").asBoolean()).isTrue();
            assertThat(variable.path("includeAll").asBoolean()).isTrue();
            assertThat(variable.path("allValue").asText()).isEqualTo(".+");
            assertThat(variable.path("refresh").asInt())
                    .as("on time range change")
                    .isEqualTo(2);
            MatchResult call = find(Pattern.compile("label_values\\((.*), (\\w+)\\)"), query)
                    .getFirst();
            MatchResult selector = find(SELECTOR, call.group(1)).getFirst();
            String series = selector.group("series");
            assertThat(SERIES).containsKey(series);
            assertThat(labels(SERIES.get(series), series)).contains(call.group(2));
        });
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    @DisplayName("each panel has a title, a description, a unit, a target, and the chosen data source")
    void shouldExplainEveryPanel(Dashboard dashboard) {
        assertThat(dashboard.panels())
                .filteredOn(panel -> !panel.path("type").asText().equals("row"))
                .allSatisfy(panel -> {
                    assertThat(panel.path("title").asText()).isNotBlank();
                    assertThat(panel.path("description").asText()).isNotBlank();
                });
        assertThat(dashboard.dataPanels()).isNotEmpty().allSatisfy(panel -> {
            JsonNode defaults = panel.path("fieldConfig").path("defaults");
            assertThat(panel.path("datasource").path("uid").asText()).isEqualTo("${datasource}");
            assertThat(defaults.path("unit").asText()).isNotBlank();
            assertThat(defaults.path("noValue").asText()).isNotBlank();
            assertThat(panel.path("targets")).isNotEmpty().allSatisfy(target -> {
                assertThat(target.path("datasource").path("uid").asText()).isEqualTo("${datasource}");
                assertThat(target.path("expr").asText()).isNotBlank();
                assertThat(target.path("refId").asText()).isNotBlank();
            });
            assertThat(texts(
                            panel.path("targets"),
                            target -> target.path("refId").asText()))
                    .doesNotHaveDuplicates();
        });
        assertThat(dashboard.panels())
                .extracting(panel -> panel.path("id").asInt())
                .doesNotHaveDuplicates();
        assertThat(dashboard.dataPanels())
                .extracting(panel -> panel.path("title").asText())
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    @DisplayName("no two panels cover the same place, none is wider than the grid of 24")
    void shouldLayPanelsSideBySide(Dashboard dashboard) {
        Set<String> cells = new HashSet<>();
        for (JsonNode panel : dashboard.panels()) {
            JsonNode place = panel.path("gridPos");
            int left = place.path("x").asInt();
            int top = place.path("y").asInt();
            assertThat(left + place.path("w").asInt()).isBetween(1, 24);
            for (int x = left; x < left + place.path("w").asInt(); x++) {
                for (int y = top; y < top + place.path("h").asInt(); y++) {
                    assertThat(cells.add(x + "/" + y))
                            .as("%s at %d/%d", panel.path("title").asText(), x, y)
                            .isTrue();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dashboards")
    @DisplayName("a path has one colour everywhere")
    void shouldColourPathsAlike(Dashboard dashboard) {
        Map<String, String> colours = Map.of(
                "/^emulated.*/", "#E02F44",
                "/^virtio.*/", "#3274D9",
                "/^passthrough.*/", "#56A64B",
                "/^native.*/", "#8E8E8E");
        assertThat(dashboard.dataPanels())
                .filteredOn(panel -> texts(
                                panel.path("targets"),
                                t -> t.path("legendFormat").asText())
                        .equals(List.of("{{path}}")))
                .isNotEmpty()
                .allSatisfy(panel -> assertThat(StreamSupport.stream(
                                        panel.path("fieldConfig")
                                                .path("overrides")
                                                .spliterator(),
                                        false)
                                .collect(Collectors.toMap(
                                        override -> override.path("matcher")
                                                .path("options")
                                                .asText(),
                                        override -> override.path("properties")
                                                .path(0)
                                                .path("value")
                                                .path("fixedColor")
                                                .asText())))
                        .isEqualTo(colours));
    }

    @ParameterizedTest
    @MethodSource("queries")
    @DisplayName("a query uses only series and labels that exist, and matches job and instance")
    void shouldUseOnlyWhatTheCatalogueHas(Dashboard.Query query) {
        String expression = query.expression();
        List<MatchResult> selectors = find(SELECTOR, expression);
        Set<String> labels = new HashSet<>();

        assertThat(selectors).isNotEmpty().allSatisfy(selector -> {
            String series = selector.group("series");
            assertThat(SERIES).containsKey(series);
            Set<String> allowed = labels(SERIES.get(series), series);
            labels.addAll(allowed);
            assertThat(selector.group("matchers")).contains("job=~\"$job\"").contains("instance=~\"$instance\"");
            assertThat(find(MATCHER, selector.group("matchers")))
                    .extracting(matcher -> matcher.group(1))
                    .isSubsetOf(allowed);
            if (allowed.contains("path")) {
                assertThat(selector.group("matchers"))
                        .contains("path=~\"$path\"")
                        .contains("guest=~\"$guest\"");
            }
        });
        for (MatchResult grouping : find(GROUPING, expression)) {
            if (!grouping.group(1).isBlank()) {
                assertThat(labels).contains(grouping.group(1).split("\\s*,\\s*", -1));
            }
        }
        assertThat(find(LEGEND_LABEL, query.legend()))
                .extracting(label -> label.group(1))
                .isSubsetOf(labels);
    }

    @ParameterizedTest
    @MethodSource("queries")
    @DisplayName("counters only as rate or increase over $__rate_interval; quantiles keep le")
    void shouldAskForRatesOfCounters(Dashboard.Query query) {
        String expression = query.expression();

        assertThat(expression).doesNotContain("irate(");
        for (MatchResult selector : find(SELECTOR, expression)) {
            LabMeter meter = SERIES.get(selector.group("series"));
            boolean grows = meter.kind() != LabMeter.Kind.GAUGE || meter == LabMeter.CLOCK;
            String before = expression.substring(0, selector.start());
            assertThat(before.endsWith("rate(") || before.endsWith("increase("))
                    .as("%s in rate() or increase()", selector.group())
                    .isEqualTo(grows);
            assertThat(selector.group("range")).isEqualTo(grows ? "[$__rate_interval]" : null);
        }
        if (expression.contains("histogram_quantile")) {
            assertThat(expression).contains("_bucket").contains("sum by (le");
        }
    }
}

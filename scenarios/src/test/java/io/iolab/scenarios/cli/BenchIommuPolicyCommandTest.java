package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code iolab bench iommu-policy}: what it prints, and that the published order appears. */
class BenchIommuPolicyCommandTest {
    private static final int SMALL = 4096;
    private static final int LARGE = 2 << 20;

    private static @Nullable String document;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int iolab(String arguments) {
        out.reset();
        return Main.execute(
                arguments.split(" ", -1),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                (scenario, request) -> {
                    throw new IllegalStateException("no scenario is run here");
                },
                Optional.empty());
    }

    /** One run serves every test of its figures: virtual time gives the same ones each time. */
    private JsonNode document() throws IOException {
        String text = document;
        if (text == null) {
            assertThat(iolab("bench iommu-policy --packets 8000 --json")).isZero();
            text = out.toString(StandardCharsets.UTF_8);
            document = text;
        }
        return new ObjectMapper().readTree(text);
    }

    private static JsonNode one(JsonNode root, String policy, int buffer, int packet) {
        for (JsonNode each : root.path("cases")) {
            if (each.path("policy").asText().equals(policy)
                    && each.path("buffer_bytes").asInt() == buffer
                    && each.path("packet_bytes").asInt() == packet) {
                return each;
            }
        }
        throw new AssertionError(policy + " " + buffer + " " + packet);
    }

    private static double number(JsonNode root, String policy, int buffer, int packet, String field) {
        JsonNode value = one(root, policy, buffer, packet).path(field);
        assertThat(value.isNumber()).as(field).isTrue();
        return value.asDouble();
    }

    /** rIOMMU, ASPLOS 2015, Table 1; NV-Kernels pull request 182: strict far below deferred, deferred below pass-through. */
    @ParameterizedTest
    @CsvSource({"64", "1500"})
    void shouldOrderPoliciesAsPublished(int packet) throws IOException {
        JsonNode root = document();
        String whole = "packets_per_second";
        String alone = "packets_per_second_mapping_alone";
        double strict = number(root, "strict", SMALL, packet, whole);
        double deferred = number(root, "deferred", SMALL, packet, whole);
        double open = number(root, "passthrough", SMALL, packet, whole);
        assertThat(strict).isLessThan(0.75 * deferred);
        assertThat(deferred).isLessThan(open);
        assertThat(strict / open).as("of pass-through").isBetween(0.3, 0.6);
        assertThat(number(root, "strict", SMALL, packet, alone))
                .as("mapping alone")
                .isLessThan(0.45 * number(root, "deferred", SMALL, packet, alone));
    }

    /** 2 MiB pages make the unit nearly free: hardly an invalidation, a miss or a walk, and throughput within 1 %. */
    @ParameterizedTest
    @ValueSource(strings = {"strict", "deferred"})
    void shouldMakeUnitNearlyFreeWithLargePages(String policy) throws IOException {
        JsonNode root = document();
        assertThat(number(root, policy, SMALL, 64, "iotlb_misses")).isBetween(0.95, 1.2);
        assertThat(number(root, policy, LARGE, 64, "iotlb_misses")).isLessThan(0.01);
        assertThat(number(root, policy, LARGE, 64, "iotlb_invalidations")).isLessThan(0.01);
        assertThat(number(root, policy, LARGE, 64, "packets_per_second"))
                .isGreaterThan(0.99 * number(root, "passthrough", LARGE, 64, "packets_per_second"));
    }

    /** What each policy leaves open: strict nothing after unmap, shadow no neighbour, deferred a window, pass-through all. */
    @Test
    void shouldShowWhatPoliciesLeaveOpen() throws IOException {
        JsonNode root = document();
        assertThat(number(root, "strict", SMALL, 64, "iotlb_invalidations")).isEqualTo(1);
        assertThat(number(root, "strict", SMALL, 64, "stale_page_ns")).isZero();
        assertThat(number(root, "strict", SMALL, 64, "exposed_bytes"))
                .as("4096 - 64 one way, 4096 - 2048 the other")
                .isEqualTo((4032 + 2048) / 2.0);
        assertThat(number(root, "deferred", SMALL, 64, "stale_page_ns")).isPositive();
        assertThat(number(root, "deferred", SMALL, 64, "longest_stale_ns")).isBetween(1e4, 1e7);
        assertThat(number(root, "deferred", SMALL, 64, "iotlb_invalidations")).isBetween(0.004, 0.0045);
        assertThat(number(root, "shadow", SMALL, 1500, "iotlb_invalidations")).isZero();
        assertThat(number(root, "shadow", SMALL, 1500, "exposed_bytes")).isZero();
        assertThat(number(root, "shadow", SMALL, 1500, "copied_bytes")).isPositive();
        assertThat(number(root, "passthrough", SMALL, 1500, "walk_accesses")).isLessThan(0.01);
        assertThat(one(root, "passthrough", SMALL, 1500).has("exposed_bytes"))
                .as("everything, which is no number of bytes a packet")
                .isFalse();
    }

    @Test
    void shouldNameSchemaCostsAndSources() throws IOException {
        JsonNode root = document();
        assertThat(root.path("schema").asText()).isEqualTo("iolab.bench.iommu-policy/1");
        assertThat(root.path("cases")).hasSize(16);
        assertThat(root.path("published")).hasSizeGreaterThan(3);
        for (JsonNode cost : root.path("profile").path("costs")) {
            assertThat(cost.path("source").asText()).isNotBlank();
        }
        assertThat(iolab("bench iommu-policy --packets 8000 --policy strict --json"))
                .isZero();
        assertThat(new ObjectMapper().readTree(out.toByteArray()).path("cases").path(0))
                .as("virtual time")
                .isEqualTo(one(root, "strict", SMALL, 64));
    }

    @Test
    void shouldPrintOneRowForEachCaseAndPublishedFigures() {
        assertThat(iolab("bench iommu-policy --packets 2000 --policy strict,shadow"))
                .isZero();
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines.getFirst()).contains("Mpps", "ns/packet", "inval", "stale", "exposed", "copied");
        assertThat(lines.get(1)).startsWith("  strict").contains("4 KiB", " 64 ");
        assertThat(lines.get(8)).startsWith("  shadow").contains("2 MiB", " 1500 ");
        assertThat(lines).anyMatch(line -> line.contains("ASPLOS 2015"));
        assertThat(lines).allMatch(line -> line.length() <= 150);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bench iommu-policy --policy lazy", "bench iommu-policy --packets 1"})
    void shouldRefuseWhatCannotBeRun(String arguments) {
        assertThat(iolab(arguments)).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8)).isNotEmpty();
    }
}

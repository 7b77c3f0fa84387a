package io.iolab.scenarios.result;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.iolab.scenarios.schema.SchemaCheck;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResultJsonTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static Report report() {
        return HandBuilt.report(HandBuilt.emulated(), HandBuilt.passthrough(), HandBuilt.yardstick());
    }

    private static JsonNode document() throws IOException {
        return MAPPER.readTree(ResultJson.text(report()));
    }

    private static String golden() throws IOException {
        try (InputStream in = Objects.requireNonNull(ResultJsonTest.class.getResourceAsStream("/golden/result.json"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The golden document was checked by hand against the figures in {@link HandBuilt}. */
    @Test
    void shouldGiveTheGoldenDocumentByteForByte() throws IOException {
        assertThat(ResultJson.text(report())).isEqualTo(golden());
        assertThat(ResultJson.text(report())).isEqualTo(ResultJson.text(report()));
    }

    @Test
    void shouldMeetItsSchema() throws IOException {
        assertThat(SchemaCheck.problems(ResultSchema.document(), document())).isEmpty();
        JsonNode withoutGuests = MAPPER.readTree(ResultJson.text(HandBuilt.report()));
        assertThat(SchemaCheck.problems(ResultSchema.document(), withoutGuests)).isEmpty();
    }

    @Test
    void shouldHaveTheDeviceTlbWhereThereIsOne() throws IOException {
        JsonNode document = MAPPER.readTree(ResultJson.text(HandBuilt.report(HandBuilt.withDeviceTlb())));
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).isEmpty();
        JsonNode tlb = document.at("/paths/0/iommu/device_tlb");
        assertThat(tlb.get("hits").asLong()).isEqualTo(6);
        assertThat(tlb.get("translation_requests").asLong()).isEqualTo(3);
        assertThat(tlb.get("invalidations").asLong()).isEqualTo(5);
        ((ObjectNode) tlb).remove("misses");
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).hasSize(1);
        assertThat(document().at("/paths/1/iommu/device_tlb").isMissingNode()).isTrue();
    }

    @Test
    void shouldHaveTheGuestsUnitWhereThereIsOne() throws IOException {
        JsonNode document = MAPPER.readTree(ResultJson.text(HandBuilt.report(HandBuilt.withGuestUnit())));
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).isEmpty();
        JsonNode unit = document.at("/paths/0/iommu/guest_unit");
        assertThat(unit.get("maps").asLong()).isEqualTo(4);
        assertThat(unit.get("unmap_exits").asLong()).isEqualTo(6);
        assertThat(unit.get("table_walks").asLong()).isEqualTo(8);
        assertThat(unit.get("host_invalidations").asLong()).isEqualTo(12);
        ((ObjectNode) unit).remove("faults");
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).hasSize(1);
        assertThat(document().at("/paths/1/iommu/guest_unit").isMissingNode()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"schema", "scenario", "seed", "clock", "profile", "virtual_seconds", "paths"})
    void shouldRequireEveryFieldOfTheDocument(String field) throws IOException {
        ObjectNode document = (ObjectNode) document();
        document.remove(field);
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "path",
                "guest",
                "frames",
                "bytes",
                "tx",
                "rx",
                "pps",
                "gbps",
                "exits_per_packet",
                "interrupts_per_packet",
                "kicks_per_packet",
                "copied_bytes_per_packet",
                "iotlb_misses_per_packet",
                "drops",
                "latency_ns",
                "cpu_ns_per_packet",
                "exits",
                "interrupts",
                "kicks",
                "dma",
                "iommu",
                "cpu_ns",
            })
    void shouldRequireEveryFieldOfAPath(String field) throws IOException {
        JsonNode document = document();
        ((ObjectNode) document.path("paths").path(0)).remove(field);
        List<String> problems = SchemaCheck.problems(ResultSchema.document(), document);
        assertThat(problems).hasSize(1);
        assertThat(problems.getFirst()).startsWith("/paths/0: ").contains(field);
    }

    /** iolab.result/1 gains fields and loses none, so what was written before them stays valid. */
    @Test
    void shouldAcceptDocumentsOfBeforeWakeUpsAndPollingWereCounted() throws IOException {
        JsonNode document = document();
        for (JsonNode path : document.path("paths")) {
            ((ObjectNode) path).remove(List.of("wakeups_per_packet", "wakeups"));
            ((ObjectNode) path.path("cpu_ns")).remove("polling");
        }

        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).isEmpty();
    }

    @Test
    void shouldRefuseTextForNumbersUnknownFieldsAndUnknownNames() throws IOException {
        ObjectNode document = (ObjectNode) document();
        ObjectNode path = (ObjectNode) document.path("paths").path(0);
        path.put("pps", "80000.0");
        path.put("speed", 1);
        path.put("path", "magic");
        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).hasSize(3);
    }

    /** DESIGN, What is measured: a packet is a frame that the guest sent or received. */
    @Test
    void shouldDivideBySentPlusReceived() throws IOException {
        JsonNode emulated = document().path("paths").path(0);

        assertThat(emulated.path("frames").asLong()).isEqualTo(4);
        assertThat(emulated.path("pps").decimalValue()).isEqualByComparingTo("80000");
        // 1024 bytes * 8 / 50 us = 163.84 Mbit/s
        assertThat(emulated.path("gbps").decimalValue()).isEqualByComparingTo("0.16384");
        assertThat(emulated.path("exits_per_packet").decimalValue()).isEqualByComparingTo("1.25");
        assertThat(emulated.path("interrupts_per_packet").decimalValue()).isEqualByComparingTo("0.25");
        assertThat(emulated.path("drops").asLong()).isEqualTo(3);
        // (4000 + 18000.4 + 2000) ns / 4
        assertThat(emulated.path("cpu_ns_per_packet").decimalValue()).isEqualByComparingTo("6000.1");
    }

    @Test
    void shouldSetEachPathAgainstNativeButNotNativeItself() throws IOException {
        JsonNode paths = document().path("paths");

        assertThat(paths.path(0).path("share_of_native").path("pps").decimalValue())
                .isEqualByComparingTo("0.5");
        assertThat(paths.path(0)
                        .path("share_of_native")
                        .path("cpu_ns_per_packet")
                        .decimalValue())
                .isEqualByComparingTo("6.0001");
        assertThat(paths.path(1).path("share_of_native").path("latency_p50").isNull())
                .isTrue();
        assertThat(paths.path(2).has("share_of_native")).isFalse();

        JsonNode alone = MAPPER.readTree(ResultJson.text(HandBuilt.report(HandBuilt.emulated())));
        assertThat(alone.path("paths").path(0).has("share_of_native")).isFalse();
    }
}

package io.iolab.scenarios.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.scenarios.schema.SchemaCheck;
import io.iolab.vmm.config.ConfigException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

class ScenarioSchemaTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNode SCHEMA = ScenarioSchema.document();

    private static JsonNode json(String yaml) {
        return MAPPER.valueToTree(new Load(LoadSettings.builder().build()).loadFromString(yaml));
    }

    static List<String> bundled() {
        return ScenarioCatalog.names();
    }

    @ParameterizedTest
    @MethodSource("bundled")
    void shouldAcceptEveryBundledScenario(String name) throws Exception {
        assertThat(SchemaCheck.problems(SCHEMA, json(ScenarioCatalog.text(name))))
                .isEmpty();
        Scenario scenario = ScenarioCatalog.bundled(name);
        assertThat(scenario.name()).isEqualTo(name);
        assertThat(scenario.description()).isNotBlank();
        assertThat(ScenarioCatalog.text(name)).startsWith("# ");
    }

    /** The reader lists what it knows when it meets a key that it does not know. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "x: 1                                                               | ",
                "link: {x: 1}                                                       | /properties/link",
                "nic: {x: 1}                                                        | /properties/nic",
                "virtio: {x: 1}                                                     | /properties/virtio",
                "guests: [{path: passthrough, msix: {x: 1}}]                        | /properties/guests/items/properties/msix",
                "memory: {file: /m, x: 1}                                           | /properties/memory",
                "workload: {kind: udp-stream, size: 60B, transmit: {}, x: 1}        | /properties/workload/oneOf/0",
                "workload: {kind: udp-stream, size: 60B, transmit: {x: 1}}          | /properties/workload/oneOf/0/properties/transmit",
                "workload: {kind: udp-stream, size: 60B, receive: {x: 1}}           | /properties/workload/oneOf/0/properties/receive",
                "workload: {kind: ping-pong, size: 60B, x: 1}                       | /properties/workload/oneOf/1",
                "workload: {kind: replay, capture: lan-mix, x: 1}                   | /properties/workload/oneOf/2",
                "workload: {kind: echo, size: 60B, x: 1}                            | /properties/workload/oneOf/3",
                "guests: [{path: virtio, x: 1}]                                     | /properties/guests/items",
            })
    void shouldHoldExactlyTheKeysOfTheReader(String wrong, String place) {
        String common = wrong.startsWith("workload") ? "" : "workload: {kind: ping-pong, size: 60B}\n";
        ConfigException e = catchThrowableOfType(
                ConfigException.class, () -> ScenarioReader.parse("t.yaml", "version: 1\n" + common + wrong, null));

        assertThat(e).hasMessageContaining("unknown key 'x'; known here: ");
        String known = e.getMessage().substring(e.getMessage().indexOf("known here: ") + "known here: ".length());
        List<String> published = new ArrayList<>();
        SCHEMA.at((place == null ? "" : place) + "/properties").fieldNames().forEachRemaining(published::add);
        assertThat(published).containsExactlyInAnyOrderElementsOf(Arrays.asList(known.split(", ", -1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "duration: 5",
                "duration: 5 MB",
                "seed: many",
                "seed: -1",
                "clock: Wall",
                "name: 5",
                "name: a b",
                "link: fast",
                "link: {queue: 3}",
                "link: {speed: 1}",
                "nic: {ring: 4}",
                "nic: {mergeable: 1}",
                "guests: []",
                "guests: [emulated]",
                "guests: [{path: up}]",
                "guests: [{name: a}]",
                "durations: 5ms",
                "memory: {}",
                "workload: {kind: udp}",
                "workload: {size: 60B}",
                "workload: {kind: udp-stream, size: 60B}",
                "workload: {kind: udp-stream, transmit: {}}",
                "workload: {kind: udp-stream, size: 60B, sizes: [60B], transmit: {}}",
                "workload: {kind: udp-stream, sizes: [], transmit: {}}",
                "workload: {kind: udp-stream, size: 60B, transmit: {rate: 5}}",
                "workload: {kind: udp-stream, size: 60B, transmit: {burst: 65}}",
                "workload: {kind: ping-pong}",
                "workload: {kind: replay}",
                "workload: {kind: echo, size: 60B, think: 1us}",
            })
    void shouldRefuseWhatTheReaderRefuses(String wrong) {
        String common = wrong.startsWith("workload") ? "" : "workload: {kind: ping-pong, size: 60B}\n";
        String text = "version: 1\n" + common + wrong + "\n";

        assertThat(catchThrowableOfType(ConfigException.class, () -> ScenarioReader.parse("t.yaml", text, null)))
                .isNotNull();
        assertThat(SchemaCheck.problems(SCHEMA, json(text))).isNotEmpty();
    }

    @Test
    void shouldBeAValidSchemaItself() {
        assertThat(SCHEMA.path("$schema").asText()).isEqualTo("https://json-schema.org/draft/2020-12/schema");
        assertThat(SchemaCheck.problems(SCHEMA, json("version: 1\nworkload: {kind: ping-pong, size: 60B}\n")))
                .isEmpty();
    }

    @Test
    void shouldAcceptEveryKeyInUse() throws Exception {
        String text = """
                version: 1
                name: all
                description: every key
                seed: 3
                profile: sandy-bridge-2013
                clock: wall
                warmup: 0ns
                duration: 1ms
                memory: {file: /dev/shm/lab}
                link: {bandwidth: 10Gbit/s, delay: 2us, queue: 64}
                nic: {ring: 64, itr: 1us, tx_delay: 0ns, rx_delay: 2us, tx_interrupts: true, event_index: true, mergeable: true,
                      coalesced_mmio: true}
                ram: 32MiB
                workload: {kind: echo, size: 60B, rate: 1kpps}
                guests:
                  - {name: a, path: passthrough, ram: 8MiB, link: {}, nic: {}, mapped: false,
                     device: igbvf}
                  - path: native
                    workload: {kind: udp-stream, sizes: [60B, 64B], transmit: {rate: max, burst: 2, count: 1},
                               receive: {rate: 1pps}}
                """;

        assertThat(ScenarioReader.parse("t.yaml", text, null).guests()).hasSize(2);
        assertThat(SchemaCheck.problems(SCHEMA, json(text))).isEmpty();
    }
}

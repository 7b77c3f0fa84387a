package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.scenarios.schema.SchemaCheck;
import io.iolab.vmm.groups.ExampleTopology;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code iolab iommu}: what it prints, and how it refuses. */
class IommuCommandTest {
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

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldListTheTopologies() {
        assertThat(iolab("iommu groups")).isZero();
        assertThat(out().lines()).hasSize(ExampleTopology.values().length);
        assertThat(out()).contains("root-ports-acs", "switch-no-acs", "pcie-pci-bridge", "multifunction");
    }

    @Test
    void shouldSayWhichAcsBitsJoinAGroup() {
        assertThat(iolab("iommu groups switch-no-acs")).isZero();
        assertThat(out())
                .contains(
                        "Group 2 is one because",
                        "switch downstream port 02:00.0 has no ACS capability (needs SV, RR, CR, UF)",
                        "joins 02:00.0 02:01.0 03:00.0 04:00.0");
        iolab("iommu groups switch-acs");
        assertThat(out()).doesNotContain("because");
        iolab("iommu groups switch-acs --acs off");
        assertThat(out()).contains("root port 00:01.0 has ACS, but SV, RR, CR, UF are off");
    }

    @ParameterizedTest
    @EnumSource(ExampleTopology.class)
    void shouldKeepToItsSchema(ExampleTopology example) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        iolab("iommu groups --schema");
        JsonNode schema = mapper.readTree(out());
        for (String acs : new String[] {"on", "off"}) {
            assertThat(iolab("iommu groups " + example.label() + " --json --acs " + acs))
                    .isZero();
            assertThat(SchemaCheck.problems(schema, mapper.readTree(out()))).isEmpty();
        }
    }

    @Test
    void shouldShowTheGroupsOfAScenario() throws IOException {
        assertThat(iolab("iommu groups side-by-side --json")).as(err()).isZero();
        JsonNode root = new ObjectMapper().readTree(out());
        assertThat(root.path("name").asText()).isEqualTo("side-by-side");
        assertThat(root.at("/groups/0/members/0/device").asText()).isEqualTo("10d3");
    }

    @Test
    void shouldRefuseWhatItDoesNotKnow() {
        assertThat(iolab("iommu groups switch-no-ac")).isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("Did you mean switch-no-acs");
        assertThat(iolab("iommu groups --json")).isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu")).isEqualTo(ExitCode.USAGE);
    }
}

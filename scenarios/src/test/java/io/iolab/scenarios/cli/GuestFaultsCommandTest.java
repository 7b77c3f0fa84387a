package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.scenarios.schema.SchemaCheck;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code iolab iommu faults} of guests that see a remapping unit: FSTS and FRCD as they read them (VT-d 7.3, 10.4.9, 10.4.14). */
class GuestFaultsCommandTest {
    private static final String SCENARIO = """
            version: 1
            workload: {kind: udp-stream, size: 60B, transmit: {rate: 20kpps}, receive: {rate: 20kpps}}
            guests:
              - {name: plain, path: passthrough, mapped: false}
              - {name: shadowed, path: passthrough, mapped: false, iommu: {viommu: shadow}}
              - {name: nested, path: passthrough, mapped: false, iommu: {viommu: nested}}
              - {name: sound, path: passthrough, iommu: {viommu: nested}}
            """;
    /** In the guest the NIC is 00:04.0. */
    private static final int GUEST_RID = 0x20;

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private String file = "";

    @BeforeEach
    void write() throws IOException {
        Path path = folder.resolve("faults.yaml");
        Files.writeString(path, SCENARIO);
        file = path.toString();
    }

    private int iolab(String... arguments) {
        out.reset();
        err.reset();
        return Main.execute(
                arguments,
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                (scenario, request) -> {
                    throw new IllegalStateException("no scenario is run here");
                },
                Optional.empty());
    }

    private JsonNode json(String... arguments) throws IOException {
        assertThat(iolab(arguments)).as(err.toString(StandardCharsets.UTF_8)).isZero();
        return new ObjectMapper().readTree(out.toByteArray());
    }

    private static List<JsonNode> of(JsonNode document, String guest) {
        List<JsonNode> found = new ArrayList<>();
        document.get("guest_faults").forEach(fault -> {
            if (fault.get("guest").asText().equals(guest)) {
                found.add(fault);
            }
        });
        return found;
    }

    @Test
    @DisplayName("7.1.3: what a guest's own tables refuse is recorded in its unit by its own names, and nowhere else")
    void shouldShowEachUnitItsOwnFaults() throws IOException {
        JsonNode document = json("iommu", "faults", file, "--json");
        assertThat(SchemaCheck.problems(json("iommu", "faults", "--schema"), document))
                .isEmpty();
        assertThat(document.get("faults"))
                .isNotEmpty()
                .allSatisfy(fault -> assertThat(fault.get("bdf").asText())
                        .as("the host's name of the guest without a unit")
                        .isEqualTo("00:08.0"));
        assertThat(of(document, "plain")).isEmpty();
        assertThat(of(document, "sound")).isEmpty();
        check(of(document, "shadowed"), 0x06);
        check(of(document, "nested"), 0x71);
    }

    /** Fields of FRCD by their bits: F 127, T1 126, FR 103:96, SID 79:64, FI 63:12. */
    private static void check(List<JsonNode> faults, int reason) {
        assertThat(faults).isNotEmpty().allSatisfy(fault -> {
            BigInteger frcd =
                    new BigInteger(fault.at("/registers/frcd").asText().substring(2), 16);
            int status = Integer.decode(fault.at("/registers/fsts").asText());
            assertThat(frcd.testBit(127)).as("F").isTrue();
            assertThat(frcd.testBit(126)).as("T1: a read").isTrue();
            assertThat(frcd.shiftRight(96).intValue() & 0xFF).isEqualTo(reason);
            assertThat(frcd.shiftRight(64).intValue() & 0xFFFF).isEqualTo(GUEST_RID);
            assertThat("0x" + Long.toHexString(frcd.longValue()))
                    .isEqualTo(fault.get("page").asText());
            assertThat(status & 2).as("PPF").isEqualTo(2);
            assertThat(status >>> 8 & 0xFF)
                    .as("FRI: the first record that is pending")
                    .isEqualTo(fault.at("/registers/index").asInt());
            assertThat(fault.get("reason_code").asInt()).isEqualTo(reason);
            assertThat(fault.get("bdf").asText()).isEqualTo("00:04.0");
            assertThat(fault.get("access").asText()).isEqualTo("read");
            assertThat(fault.at("/walk/blocked").asBoolean()).isTrue();
            assertThat(fault.get("line").asText()).startsWith("DMAR: [DMA Read NO_PASID] Request device [00:04.0]");
        });
    }

    @Test
    void shouldShowOneGuestAlone() {
        assertThat(iolab("iommu", "faults", file, "--guest", "nested", "--brief"))
                .isZero();
        assertThat(out.toString(StandardCharsets.UTF_8))
                .startsWith(
                        "Guest nested, from the unit that it sees:\n  DMAR: [DMA Read NO_PASID] Request device [00:04.0]")
                .contains("[fault reason 0x71]", "Read by the guest: FSTS 0x00000002, FRCD0 0xc000007100000020_")
                .doesNotContain("shadowed", "[00:08.0]");
        assertThat(iolab("iommu", "faults", file, "--guest", "sound")).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("no fault was recorded\n");
        assertThat(iolab("iommu", "faults", file, "--guest", "plain")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("shadowed, nested, sound");
        assertThat(iolab("iommu", "faults", "--attack", "rogue-read", "--guest", "plain"))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    @DisplayName("9.8: a kernel that maps for the device to write only has its reads refused by its own unit")
    void shouldBlameTheKernelThatMapsTheWrongWay() throws IOException {
        JsonNode document =
                json("iommu", "faults", "guest-iommu", "--inject", "wrong-dma-direction@strict", "--json", "--brief");
        assertThat(document.get("faults")).isEmpty();
        check(of(document, "strict"), 0x06);
        assertThat(document.get("guest_faults")).hasSameSizeAs(of(document, "strict"));
        assertThat(iolab("iommu", "faults", "guest-iommu", "--inject", "wrong-dma-direction@nested"))
                .as("a first-level entry cannot say it")
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("without viommu: nested");
    }
}

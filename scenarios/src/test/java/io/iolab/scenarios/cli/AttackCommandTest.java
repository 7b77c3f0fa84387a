package io.iolab.scenarios.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.scenarios.attack.Attack;
import io.iolab.scenarios.attack.AttackCatalog;
import io.iolab.scenarios.attack.FlawedAttack;
import io.iolab.scenarios.schema.SchemaCheck;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** {@code iolab attack}, {@code iolab iommu walk} and {@code iolab iommu faults}: what they print, and how they refuse. */
class AttackCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int iolab(String arguments) {
        out.reset();
        err.reset();
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

    private JsonNode checked(String command, String schemaCommand) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        assertThat(iolab(schemaCommand)).as(err()).isZero();
        JsonNode schema = mapper.readTree(out());
        assertThat(iolab(command)).as(err()).isZero();
        JsonNode document = mapper.readTree(out());
        assertThat(SchemaCheck.problems(schema, document)).isEmpty();
        return document;
    }

    @Test
    void shouldListEveryAttackInALine() {
        assertThat(iolab("attack list")).isZero();
        assertThat(out().lines()).hasSize(AttackCatalog.names().size() + 1);
        assertThat(out()).contains("LEAKED 4096 bytes", "FORGED 1 interrupt");
    }

    @Test
    void shouldRunAllInATable() {
        int runs = 2 * AttackCatalog.names().size();
        assertThat(iolab("attack run --all")).isZero();
        assertThat(out()).endsWith(runs + " of " + runs + " verdicts as expected\n");
        assertThat(iolab("attack run --all --defence on")).isZero();
        assertThat(out()).doesNotContain("LEAKED", "CORRUPTED", "FORGED", "DENIED");
        assertThat(out()).contains("stale window 0 ns x pages", "sub page exposed 0 bytes");
    }

    /** With attacks that are not the catalogue's. */
    private int attack(List<Attack> attacks, String arguments) {
        out.reset();
        StandardOutput stdout = new StandardOutput(out);
        Session session = new Session(
                stdout,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                (scenario, request) -> {
                    throw new IllegalStateException("no scenario is run here");
                },
                Optional.empty(),
                "test");
        int code = new CommandLine(new AttackCommand(session, attacks))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .execute(arguments.split(" ", -1));
        stdout.flush();
        return code;
    }

    /** A verdict that is not the expected one ends in exit code 1: a defence that does not work, and one that should not be there. */
    @Test
    void shouldFailWhenAVerdictIsNotTheExpectedOne() throws IOException {
        List<Attack> broken = List.of(FlawedAttack.broken("rogue-read"), FlawedAttack.broken("irte-theft"));
        assertThat(attack(broken, "run --all")).isEqualTo(ExitCode.CHECK_FAILED);
        assertThat(out()).contains("no: BLOCKED").endsWith("2 of 4 verdicts as expected\n");
        assertThat(attack(broken, "run --all --defence off")).isEqualTo(ExitCode.DONE);
        assertThat(attack(broken, "run irte-theft --defence on")).isEqualTo(ExitCode.CHECK_FAILED);
        assertThat(out()).contains("Defence on: FORGED 1 interrupt  NOT AS EXPECTED: BLOCKED");
        assertThat(attack(List.of(FlawedAttack.inverted("rogue-read")), "run rogue-read --defence off"))
                .isEqualTo(ExitCode.CHECK_FAILED);
        assertThat(out()).contains("Defence off: BLOCKED  NOT AS EXPECTED: LEAKED 4096 bytes");
        assertThat(attack(broken, "run --all --json")).isEqualTo(ExitCode.CHECK_FAILED);
        JsonNode document = new ObjectMapper().readTree(out());
        assertThat(document.path("as_expected").asBoolean(true)).isFalse();
        assertThat(document.at("/attacks/0/runs/0/as_expected").asBoolean()).isTrue();
        assertThat(document.at("/attacks/0/runs/1/as_expected").asBoolean(true)).isFalse();
    }

    @Test
    void shouldKeepToItsSchema() throws IOException {
        JsonNode all = checked("attack run --all --json", "attack run --schema");
        assertThat(all.path("schema").asText()).isEqualTo("iolab.attack/1");
        assertThat(all.path("as_expected").asBoolean()).isTrue();
        assertThat(all.path("attacks")).hasSameSizeAs(AttackCatalog.names());
        JsonNode first = all.at("/attacks/0");
        assertThat(first.at("/runs/0/verdict/text").asText()).isEqualTo("LEAKED 4096 bytes");
        assertThat(first.at("/runs/1/verdict/kind").asText()).isEqualTo("blocked");
        assertThat(first.at("/runs/1/faults/0/reason_code").asInt()).isEqualTo(6);
        assertThat(first.at("/runs/1/faults/0/walk/steps")).hasSize(5);
        checked("attack list --json", "attack run --schema");
    }

    @Test
    void shouldShowTheEvidence() {
        assertThat(iolab("attack run rogue-write --defence on")).isZero();
        assertThat(out())
                .contains(
                        "Defence on: BLOCKED",
                        "DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x805000 [fault reason 0x05]",
                        "W (bit 1) is 0",
                        "Without the unit: guest B's secret at host address 0x805000 would have been written.")
                .doesNotContain("Defence off");
    }

    @Test
    void shouldWalkAfterAnAttack() throws IOException {
        JsonNode walk =
                checked("iommu walk --attack rogue-read --bdf 01:00.0 --iova 0x2345 --json", "iommu walk --schema");
        assertThat(walk.path("blocked").asBoolean()).isFalse();
        assertThat(walk.path("hpa").asText()).isEqualTo("0x802345");
        assertThat(walk.path("steps")).hasSize(6);
        assertThat(iolab("iommu walk --attack rogue-read --bdf 01:00.0 --iova 0x2345 --translated"))
                .isZero();
        assertThat(out()).contains("fault reason 0x0d", "TT (bits 3:2) is 0");
        walk = checked(
                "iommu walk --attack page-request-flood --bdf 01:00.0 --iova 0x1000 --pasid 0 --execute --privileged --json",
                "iommu walk --schema");
        assertThat(walk.path("execute").asBoolean()).isTrue();
        assertThat(walk.path("privileged").asBoolean()).isTrue();
        assertThat(walk.path("reason_code").asInt()).as("PASIDE is 0").isEqualTo(0x45);
        assertThat(iolab("iommu walk --attack rogue-read --bdf 01:00.0 --iova 0x0 --execute"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu walk --attack rogue-read --bdf 09:00.0 --iova 0xffffffffffffffff"))
                .isZero();
        assertThat(out()).contains("fault reason 0x01");
    }

    @Test
    void shouldExplainInterruptRequests() throws IOException {
        JsonNode walk =
                checked("iommu walk --attack irte-theft --bdf 01:00.0 --interrupt 0 --json", "iommu walk --schema");
        assertThat(walk.path("reason_code").asInt()).isEqualTo(0x26);
        assertThat(iolab("iommu walk --attack irte-theft --bdf 02:00.0 --interrupt 0"))
                .isZero();
        assertThat(out()).contains("SVT=1", "SID=0x200 (02:00.0)", "allowed: delivered");
        assertThat(iolab("iommu walk --attack irte-theft --bdf 01:00.0 --interrupt 0x10000"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu walk --attack irte-theft --bdf 01:00.0 --interrupt 0 --iova 0"))
                .isEqualTo(ExitCode.USAGE);
    }

    /** The explainer must know what the scenario's own unit offers: elsewhere IM = 1 is a reserved bit. */
    @Test
    void shouldExplainPostedEntriesOfAScenario() {
        assertThat(iolab("iommu walk posted-interrupts --bdf 00:09.0 --interrupt 5"))
                .isZero();
        assertThat(out()).contains("IM=1", "allowed: posted");
    }

    @Test
    void shouldWalkTheTablesOfAScenario() {
        assertThat(iolab("iommu walk side-by-side --bdf 00:08.0 --iova 0x1000"))
                .as(err())
                .isZero();
        assertThat(out()).contains("root entry [0]", "context entry [64]");
    }

    @Test
    void shouldExplainFaults() throws IOException {
        JsonNode faults = checked("iommu faults --attack irte-theft --json", "iommu faults --schema");
        assertThat(faults.at("/faults/0/line").asText()).startsWith("DMAR: [INTR-REMAP] Request device [01:00.0]");
        assertThat(iolab("iommu faults --attack rogue-read --defence off")).isZero();
        assertThat(out()).isEqualTo("no fault was recorded\n");
        assertThat(iolab("iommu faults side-by-side --inject wrong-dma-direction --brief"))
                .as(err())
                .isZero();
        assertThat(out()).contains("DMAR: [DMA ", "Without the unit:");
    }

    @Test
    void shouldRefuseWhatItDoesNotKnow() {
        assertThat(iolab("attack run rogue-red")).isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("Did you mean rogue-read");
        assertThat(iolab("attack run")).isEqualTo(ExitCode.USAGE);
        assertThat(iolab("attack run rogue-read --all")).isEqualTo(ExitCode.USAGE);
        assertThat(iolab("attack")).isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu walk --bdf 01:00.0 --iova 0x0")).isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu walk --attack rogue-read --bdf 1:99.0 --iova 0x0"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu walk --attack rogue-read --bdf 01:00.0 --iova zero"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu walk --attack rogue-read --bdf 01:00.0 --iova 0 --pasid 0x100000"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(iolab("iommu faults side-by-sid")).isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("Did you mean side-by-side");
        assertThat(iolab("iommu faults --attack rogue-read --inject wrong-dma-direction"))
                .isEqualTo(ExitCode.USAGE);
    }
}

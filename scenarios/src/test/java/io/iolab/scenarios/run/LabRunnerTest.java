package io.iolab.scenarios.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.devices.net.CaptureReader;
import io.iolab.scenarios.result.ResultJson;
import io.iolab.scenarios.result.ResultSchema;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.schema.SchemaCheck;
import io.iolab.vmm.ledger.GuestFigures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The bundled scenarios on the machine itself, shortened. */
class LabRunnerTest {
    private static final long MILLISECOND = 1_000_000_000L;
    /** A replay with its own timing still has frames in a tenth of a second. */
    private static final int SHORTER = 30;

    @TempDir
    Path folder;

    private final LabRunner runner = new LabRunner("1.2.3");

    private static Scenario shortened(String name) throws Exception {
        Scenario scenario = ScenarioCatalog.bundled(name);
        return scenario.withTimes(MILLISECOND, scenario.durationPicos() / SHORTER)
                .withNative();
    }

    static List<String> bundled() {
        return ScenarioCatalog.names();
    }

    /** DESIGN, Time: same seed, same profile, the same output, byte for byte. */
    @ParameterizedTest
    @MethodSource("bundled")
    void shouldGiveTheSameDocumentForTheSameSeed(String name) throws Exception {
        String first =
                ResultJson.text(runner.run(shortened(name), RunRequest.PLAIN).report());
        String second =
                ResultJson.text(runner.run(shortened(name), RunRequest.PLAIN).report());

        assertThat(second).isEqualTo(first);
        assertThat(SchemaCheck.problems(ResultSchema.document(), new ObjectMapper().readTree(first)))
                .isEmpty();
        assertThat(new ObjectMapper().readTree(first).path("paths"))
                .hasSameSizeAs(shortened(name).guests())
                .allSatisfy(path -> assertThat(path.path("frames").asLong()).isPositive());
    }

    /** What sriov.yaml says of itself: a virtual function costs the exits of a NIC of one's own, and is translated as itself. */
    @Test
    void shouldExitForAVirtualFunctionAsForANicOfItsOwn() throws Exception {
        List<GuestFigures> guests = runner.run(
                        ScenarioCatalog.bundled("sriov").withTimes(MILLISECOND, 10 * MILLISECOND), RunRequest.PLAIN)
                .report()
                .guests();

        assertThat(guests).extracting(GuestFigures::guest).containsExactly("own-nic", "vf-a", "vf-b");
        GuestFigures own = guests.getFirst();
        assertThat(guests).allSatisfy(guest -> {
            assertThat(guest.tx().frames()).isCloseTo(2_000L, within(10L));
            assertThat(guest.rx().frames()).isCloseTo(200L, within(5L));
            assertThat(guest.rx().dropped() + guest.tx().dropped()).isZero();
            assertThat(guest.perPacket(guest.totalExits())).isCloseTo(own.perPacket(own.totalExits()), within(0.02));
            assertThat(guest.iommu().iotlbHits()).isGreaterThan(guest.packets());
            assertThat(guest.iommu().faults()).isZero();
        });
    }

    /** What guest-iommu.yaml says of itself (VT-d 3.8, 6.1): two exits a packet shadowed, one nested, none by copying. */
    @Test
    void shouldExitForEachMapWhenShadowedAndForNoneWhenNested() throws Exception {
        List<GuestFigures> guests = runner.run(
                        ScenarioCatalog.bundled("guest-iommu").withTimes(2 * MILLISECOND, 20 * MILLISECOND),
                        RunRequest.PLAIN)
                .report()
                .guests();

        assertThat(guests)
                .extracting(GuestFigures::guest)
                .containsExactly("plain", "strict", "deferred", "bounce", "nested");
        assertThat(guests.getFirst().iommu().guestUnit()).isEmpty();
        assertThat(guests).allSatisfy(guest -> assertThat(guest.packets()).isCloseTo(800L, within(10L)));
        GuestFigures.GuestUnit strict = guests.get(1).iommu().guestUnit().orElseThrow();
        GuestFigures.GuestUnit bounce = guests.get(3).iommu().guestUnit().orElseThrow();
        GuestFigures.GuestUnit nested = guests.get(4).iommu().guestUnit().orElseThrow();
        assertThat(strict.maps()).isCloseTo(nested.maps(), within(10L)).isGreaterThan(700);
        assertThat(strict.mapExits() + strict.unmapExits()).isEqualTo(strict.maps() + strict.unmaps());
        assertThat(nested.mapExits() + nested.unmapExits()).isEqualTo(nested.unmaps());
        assertThat(nested.walks()).isZero();
        assertThat(bounce.maps() + bounce.mapExits() + bounce.unmapExits()).isZero();
    }

    @Test
    void shouldCaptureEveryLinkInOrderOfTime() throws Exception {
        AtomicLong progress = new AtomicLong();
        RunRequest request = new RunRequest(false, Optional.of(folder), Optional.of(lab -> "x"), progress::set);

        RunOutcome outcome = runner.run(shortened("side-by-side").withTimes(0, MILLISECOND), request);

        assertThat(outcome.failures()).isEmpty();
        assertThat(outcome.metrics()).contains("x");
        assertThat(progress.get()).isEqualTo(MILLISECOND);
        List<Path> captures = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.sorted().forEach(captures::add);
        }
        assertThat(captures)
                .extracting(file -> file.getFileName().toString())
                .contains("emulated.tx.pcap", "virtio.rx.pcap", "passthrough.tx.pcap")
                .allMatch(name -> name.endsWith(".pcap"));
        try (CaptureReader reader = CaptureReader.open(folder.resolve("emulated.tx.pcap"))) {
            long frames = 0;
            long before = 0;
            while (reader.next()) {
                assertThat(reader.nanos()).isGreaterThanOrEqualTo(before);
                before = reader.nanos();
                frames++;
            }
            assertThat(frames)
                    .isGreaterThanOrEqualTo(
                            outcome.report().guests().getFirst().tx().frames());
        }
    }
}

package io.iolab.scenarios.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.VirtioTuning;
import io.iolab.vmm.VirtioTuning.Backend;
import io.iolab.vmm.VirtioTuning.Ring;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.ledger.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The list that {@code iolab compare --paths} takes. */
class PathVariantsTest {
    private static final String SCENARIO = """
            version: 1
            workload: {kind: ping-pong, size: 60B}
            nic: {ring: 1024}
            virtio: {queue_size: 64}
            guests:
              - {name: first, path: emulated, ram: 32MiB}
              - {name: direct, path: passthrough, mapped: false}
            """;

    private static List<GuestConfig> guests(String paths) throws ConfigException {
        return PathVariants.apply(ScenarioReader.parse("t.yaml", SCENARIO, null), paths)
                .guests();
    }

    @Test
    void shouldNameEachGuestAfterItsPathAndSettings() throws ConfigException {
        assertThat(
                        guests(
                                "virtio{ring: packed},virtio{ring: packed, in_order: true},emulated , virtio{ backend: poll, event_index: false },virtio{queue_size: 16},virtio,"
                                        + "emulated{itr: 1.5us,coalesced_mmio: true}, passthrough{msix: {shared_page: true}},virtio,native"))
                .extracting(GuestConfig::name)
                .containsExactly(
                        "virtio-packed",
                        "virtio-packed-in-order",
                        "emulated",
                        "virtio-poll-no-event-ind",
                        "virtio-queue-size-16",
                        "virtio",
                        "emulated-itr-1-5us-coale",
                        "passthrough-shared-page",
                        "virtio-2",
                        "native");
    }

    @Test
    @DisplayName("names stay unique and within what a guest's name may have, however long the settings")
    void shouldKeepLongNamesApart() throws ConfigException {
        String long1 = "virtio{backend: poll, event_index: false, mergeable: false}";

        assertThat(guests(long1 + "," + long1 + "," + long1))
                .extracting(GuestConfig::name)
                .containsExactly("virtio-poll-no-event-ind", "virtio-poll-no-event-i-2", "virtio-poll-no-event-i-3");
    }

    @Test
    @DisplayName("set up as the first guest on that path, or else as the first guest; the braces change what they name")
    void shouldStartFromTheScenariosGuests() throws ConfigException {
        List<GuestConfig> guests = guests("virtio{backend: user},passthrough,passthrough{mapped: true, ring: 64}");

        NicTuning common = NicTuning.DEFAULTS.withVirtio(new VirtioTuning(Backend.VHOST, Ring.SPLIT, false, 64));
        assertThat(guests.get(0).nic())
                .as("a virtqueue takes no ring of 1024")
                .isEqualTo(common.withVirtio(new VirtioTuning(Backend.USER, Ring.SPLIT, false, 64)));
        assertThat(guests.get(0).ramBytes()).isEqualTo(32L << 20);
        assertThat(guests.get(0).mapped()).isTrue();
        assertThat(guests.get(1).nic()).isEqualTo(common.withRing(1024));
        assertThat(guests.get(1).mapped()).isFalse();
        assertThat(guests.get(1).ramBytes()).isEqualTo(64L << 20);
        assertThat(guests.get(2).nic()).isEqualTo(common.withRing(64));
        assertThat(guests.get(2).mapped()).isTrue();
        assertThat(guests)
                .extracting(GuestConfig::path)
                .containsExactly(Path.VIRTIO, Path.PASSTHROUGH, Path.PASSTHROUGH);
    }

    /** Columns are those of the whole list. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '!',
            value = {
                "!!                                | 1  | emulated, virtio, passthrough, native",
                "vrtio                             | 1  | found 'vrtio'",
                "virtio,                           | 8  | found ''",
                "virtio,,native                    | 8  | found ''",
                "virtio native                     | 8  | a comma",
                "virtio{} }                        | 10 | a comma",
                "virtio,virtio{backend: poll       | 14 | closes this {",
                "virtio{backend: '}'}              | 17 | user, vhost, poll",
                "virtio{backend: \"\\\"}\"}          | 17 | user, vhost, poll",
                "virtio,virtio{backnd: poll}       | 15 | unknown key 'backnd'; known here: backend",
                "virtio,virtio{backend: fast}      | 24 | user, vhost, poll",
                "virtio{backend: {poll: 1}}        | 17 | a name",
                "virtio{backend: [poll}            | 22 | not YAML",
                "virtio{itr: 1us}                  | 8  | unknown key 'itr'",
                "emulated{backend: poll}           | 10 | unknown key 'backend'",
                "native{mapped: true}              | 8  | unknown key 'mapped'",
                "passthrough{msix: {page: true}}   | 20 | unknown key 'page'",
                "emulated{ring: 64, ring: 32}      | 20 | twice",
            })
    void shouldNameTheColumnOfWhatIsWrong(String paths, int column, String problem) {
        ConfigException e = catchThrowableOfType(ConfigException.class, () -> guests(paths));

        assertThat(e).as(paths).isNotNull().hasMessageContaining(problem);
        assertThat(e.getMessage()).startsWith("--paths:1:" + column + ": ");
    }
}

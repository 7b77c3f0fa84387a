package io.iolab.scenarios.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.iolab.vmm.AssignedNic;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.InterruptDelivery;
import io.iolab.vmm.LinkConfig;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.VirtioTuning;
import io.iolab.vmm.VirtioTuning.Backend;
import io.iolab.vmm.VirtioTuning.Ring;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Path;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScenarioReaderTest {
    private static final String STREAM = "workload: {kind: udp-stream, size: 256B, transmit: {}}\n";

    @TempDir
    java.nio.file.Path folder;

    private static Scenario parse(String text) throws ConfigException {
        return ScenarioReader.parse("test.yaml", text, null);
    }

    private static ConfigException error(String text) {
        return catchThrowableOfType(ConfigException.class, () -> parse(text));
    }

    @Test
    void shouldGiveOneGuestPerPathWhenNoneAreListed() throws ConfigException {
        Scenario scenario = parse("version: 1\n" + STREAM);

        assertThat(scenario.name()).isEqualTo("test");
        assertThat(scenario.seed()).isEqualTo(1);
        assertThat(scenario.clock()).isEqualTo(ClockMode.VIRTUAL);
        assertThat(scenario.warmupPicos()).isEqualTo(5_000_000_000L);
        assertThat(scenario.durationPicos()).isEqualTo(50_000_000_000L);
        assertThat(scenario.guests())
                .extracting(GuestConfig::name)
                .containsExactly("emulated", "virtio", "passthrough");
        assertThat(scenario.guests())
                .extracting(GuestConfig::path)
                .containsExactly(Path.EMULATED, Path.VIRTIO, Path.PASSTHROUGH);
        assertThat(scenario.guests()).allSatisfy(guest -> {
            assertThat(guest.ramBytes()).isEqualTo(64L << 20);
            assertThat(guest.link()).isEqualTo(LinkConfig.GIGABIT);
            assertThat(guest.nic()).isEqualTo(NicTuning.DEFAULTS);
            assertThat(guest.mapped()).isTrue();
            assertThat(guest.workload())
                    .isEqualTo(
                            new Workload.UdpStream(List.of(256), new Workload.Flow(true, 0, 1, 0), Workload.Flow.OFF));
        });
    }

    @Test
    void shouldReadEveryKeyInItsUnit() throws ConfigException {
        Scenario scenario = parse("""
                version: 1
                name: everything
                description: all keys
                seed: 42
                profile: sandy-bridge-2013
                clock: wall
                warmup: 1.5ms
                duration: 2s
                memory: {file: /dev/shm/lab}
                link: {bandwidth: 10Gbit/s, delay: 2us, queue: 64}
                workload: {kind: ping-pong, size: 60B, count: 7, think: 3us}
                guests:
                  - name: a
                    path: emulated
                    ram: 128MiB
                    link: {queue: 128}
                    nic: {ring: 1024, itr: 125us, tx_delay: 8192ns, rx_delay: 1024ns, tx_interrupts: true, event_index: false,
                          mergeable: false, coalesced_mmio: false}
                    workload:
                      kind: udp-stream
                      sizes: [60B, 1514B]
                      transmit: {rate: max, burst: 4, count: 9}
                      receive: {rate: 1.5kpps}
                  - {path: passthrough, mapped: false}
                """);

        assertThat(scenario.name()).isEqualTo("everything");
        assertThat(scenario.description()).isEqualTo("all keys");
        assertThat(scenario.seed()).isEqualTo(42);
        assertThat(scenario.clock()).isEqualTo(ClockMode.WALL);
        assertThat(scenario.warmupPicos()).isEqualTo(1_500_000_000L);
        assertThat(scenario.durationPicos()).isEqualTo(2_000_000_000_000L);
        assertThat(scenario.memoryFile()).contains(java.nio.file.Path.of("/dev/shm/lab"));
        // ITR counts 256 ns, TIDV and RDTR 1.024 us (82574L data sheet 10.2.4.2, 10.2.6.2, 10.2.5.10): 125000 / 256 =
        // 488.3.
        assertThat(scenario.guests().getFirst())
                .isEqualTo(new GuestConfig(
                        "a",
                        Path.EMULATED,
                        128L << 20,
                        new LinkConfig(10_000_000_000L, 2_000_000L, 128),
                        new NicTuning(1024, 488, 8, 1, true, false, false, false),
                        new Workload.UdpStream(
                                List.of(60, 1514),
                                new Workload.Flow(true, 0, 4, 9),
                                new Workload.Flow(true, 1500, 1, 0)),
                        true));
        assertThat(scenario.guests().getLast())
                .isEqualTo(new GuestConfig(
                        "passthrough",
                        Path.PASSTHROUGH,
                        64L << 20,
                        new LinkConfig(10_000_000_000L, 2_000_000L, 64),
                        NicTuning.DEFAULTS,
                        new Workload.PingPong(60, 7, 3_000_000L),
                        false));
    }

    /** Two guests on one path with different settings, and what the whole scenario says for those that do not. */
    @Test
    void shouldReadTheDevicesOfEachGuest() throws ConfigException {
        Scenario scenario = parse("version: 1\n" + STREAM + """
                virtio: {queue_size: 64}
                guests:
                  - {name: a, path: virtio, virtio: {backend: poll, ring: packed}}
                  - {name: b, path: virtio, virtio: {backend: user, queue_size: 1024, in_order: true}}
                  - {name: c, path: virtio}
                  - {name: d, path: passthrough, msix: {shared_page: true}}
                  - {name: e, path: passthrough, msix: {}, interrupts: posted}
                  - {name: f, path: passthrough, device: igbvf, interrupts: posted}
                """);

        assertThat(scenario.guests())
                .extracting(guest -> guest.nic().assigned())
                .endsWith(AssignedNic.E1000E, AssignedNic.IGBVF);

        assertThat(scenario.guests())
                .extracting(guest -> guest.nic().virtio())
                .startsWith(
                        new VirtioTuning(Backend.POLL, Ring.PACKED, false, 64),
                        new VirtioTuning(Backend.USER, Ring.SPLIT, true, 1024),
                        new VirtioTuning(Backend.VHOST, Ring.SPLIT, false, 64));
        assertThat(scenario.guests())
                .extracting(guest -> guest.nic().msixSharedPage())
                .containsExactly(false, false, false, true, false, false);
        assertThat(scenario.guests())
                .extracting(guest -> guest.nic().interrupts())
                .endsWith(InterruptDelivery.FORWARDED, InterruptDelivery.POSTED, InterruptDelivery.POSTED);
    }

    @Test
    void shouldReadEcho() throws ConfigException {
        Scenario scenario = parse("version: 1\nworkload: {kind: echo, size: 60B, rate: 50kpps}\n");

        assertThat(scenario.guests().getFirst().workload()).isEqualTo(new Workload.EchoResponder(60, 50_000));
    }

    /** Line and column are those of the wrong value, or of the key if the key is wrong. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "durations: 5ms       | 3 | 1  | unknown key 'durations'",
                "duration: 5          | 3 | 11 | a time such as 10us",
                "duration: 5 MB       | 3 | 11 | a time such as 10us",
                "duration: 0ns        | 3 | 11 | 1us to 60min",
                "duration: -5ms       | 3 | 11 | a time such as 10us",
                "duration: [5ms]      | 3 | 11 | a time such as 10us",
                "seed: many           | 3 | 7  | a whole number",
                "seed: -1             | 3 | 7  | a whole number from 0",
                "seed: 1.5            | 3 | 7  | a whole number",
                "clock: Wall          | 3 | 8  | virtual, wall",
                "name: 5              | 3 | 7  | quote it",
                "name: a b            | 3 | 7  | letters, digits",
                "description:         | 3 | 13 | a text",
                "profile: none        | 3 | 10 | sandy-bridge-2013",
                "profile: ./none.yaml | 3 | 10 | absolute path",
                "link: fast           | 3 | 7  | expected a mapping",
                "link: {queue: 3}     | 3 | 15 | a power of two from 2 to 65536",
                "link: {speed: 1}     | 3 | 8  | unknown key 'speed'",
                "ram: 3MiB            | 3 | 6  | 4MiB to 16GiB",
                "ram: 5MiB            | 3 | 6  | a multiple of 2MiB",
                "nic: {ring: 4}       | 3 | 13 | from 8 to 4096",
                "nic: {itr: 1ns}      | 3 | 12 | 65535 times 256ns",
                "nic: {itr: 1s}       | 3 | 12 | 65535 times 256ns",
                "nic: {mergeable: 1}  | 3 | 18 | true or false",
                "guests: []           | 3 | 9  | at least one guest",
                "guests: [emulated]   | 3 | 10 | expected a mapping",
                "guests: [{path: up}] | 3 | 17 | emulated, virtio, passthrough, native",
                "guests: [{name: a}]  | 3 | 10 | missing key 'path'",
                "guests: [{path: emulated},{path: emulated}] | 3 | 27 | two guests are called emulated",
                "guests: [{name: a-peer, path: virtio}]     | 3 | 17 | without -peer",
                "guests: [{path: virtio, nic: {ring: 512}}]  | 3 | 30 | ring: 256 at most",
                "guests: [{path: virtio, mapped: false}]     | 3 | 33 | passthrough path only",
                "guests: [{path: emulated, virtio: {}}]     | 3 | 35 | virtio path only",
                "guests: [{path: virtio, msix: {}}]         | 3 | 31 | passthrough path only",
                "guests: [{path: native, interrupts: posted}] | 3 | 37 | passthrough path only",
                "guests: [{path: virtio, device: igbvf}]    | 3 | 33 | passthrough path only",
                "guests: [{path: passthrough, device: igb}] | 3 | 38 | e1000e, igbvf",
                "guests: [{path: passthrough, device: igbvf, msix: {shared_page: true}}] | 3 | 51 | e1000e only",
                "guests: [{path: passthrough, device: igbvf, nic: {itr: 9ms}}] | 3 | 10 | 8191us at most",
                "guests: [{name: a, path: passthrough, device: igbvf}, {name: b, path: passthrough, device: igbvf,"
                        + " link: {bandwidth: 10Gbit/s}}] | 3 | 9 | one link",
                "virtio: {backend: qemu}                    | 3 | 19 | user, vhost, poll",
                "virtio: {ring: 256}                        | 3 | 16 | split, packed",
                "virtio: {queue_size: 2048}                 | 3 | 22 | from 8 to 1024",
                "virtio: {queue_size: 100}                  | 3 | 22 | a power of two",
                "version: 1           | 3 | 1  | twice",
                "'\"x'                | 4 | 1  | not YAML",
            })
    void shouldNameLineAndColumnWhenAKeyIsWrong(String wrong, int line, int column, String expected) {
        ConfigException e = error("version: 1\n" + STREAM + wrong + "\n");

        assertThat(e).isNotNull().hasMessageContaining(expected);
        assertThat(e.file()).isEqualTo("test.yaml");
        assertThat(e.getMessage()).startsWith("test.yaml:" + line + ":" + column + ": ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{kind: udp}                                                | 18 | one of udp-stream, ping-pong, replay, echo",
                "{size: 60B}                                                | 11 | missing key 'kind'",
                "{kind: udp-stream, size: 60B}                              | 11 | transmit, receive or both",
                "{kind: udp-stream, transmit: {}}                           | 11 | either size or sizes",
                "{kind: udp-stream, size: 59B, transmit: {}}                | 36 | 60B to 1514B",
                "{kind: udp-stream, size: 1515B, transmit: {}}              | 36 | 60B to 1514B",
                "{kind: udp-stream, size: 64, transmit: {}}                 | 36 | a size such as 64B",
                "{kind: udp-stream, sizes: [], transmit: {}}                | 37 | at least one size",
                "{kind: udp-stream, sizes: [60B, 64], transmit: {}}         | 43 | a size such as 64B",
                "{kind: udp-stream, size: 60B, transmit: {rate: 5}}         | 58 | a packet rate such as 50kpps",
                "{kind: udp-stream, size: 60B, transmit: {rate: 0pps}}      | 58 | at least 1pps",
                "{kind: udp-stream, size: 60B, transmit: {burst: 65}}       | 59 | from 1 to 64",
                "{kind: udp-stream, size: 60B, transmit: {}, think: 1us}    | 55 | unknown key 'think'",
                "{kind: ping-pong}                                          | 11 | missing key 'size'",
                "{kind: replay}                                             | 11 | either file or capture",
                "{kind: replay, capture: none}                              | 35 | lan-mix",
            })
    void shouldNameLineAndColumnWhenTheWorkloadIsWrong(String workload, int column, String expected) {
        ConfigException e = error("version: 1\nworkload: " + workload + "\n");

        assertThat(e).isNotNull().hasMessageContaining(expected);
        assertThat(e.getMessage()).startsWith("test.yaml:2:" + column + ": ");
    }

    @Test
    void shouldRefuseWhatIsNoMappingAndWhatHasNoVersion() {
        assertThat(error("")).hasMessageStartingWith("test.yaml:1:1: ");
        assertThat(error("- a\n")).hasMessageStartingWith("test.yaml:1:1: ");
        assertThat(error(STREAM)).hasMessage("test.yaml:1:1: missing key 'version'");
        assertThat(error("version: 2\n" + STREAM)).hasMessageStartingWith("test.yaml:1:10: ");
        assertThat(error("version: 1\n"))
                .hasMessage("test.yaml:1:1: missing key 'workload', here or for the whole scenario");
    }

    @Test
    void shouldNameTheLineThatRefersToAMissingFile() throws IOException {
        java.nio.file.Path file = folder.resolve("s.yaml");
        Files.writeString(file, "version: 1\nworkload:\n  kind: replay\n  file: gone.pcap\n");

        assertThatThrownBy(() -> ScenarioReader.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessage(file + ":4:9: workload.file: expected an existing file, found none at "
                        + folder.resolve("gone.pcap"));
    }

    /** draft-ietf-opsawg-pcap 4: a file header of 24 bytes, then records of 16 bytes and the frame. */
    @Test
    void shouldRefuseACaptureThatEndsInsideOfAFrame() throws IOException {
        byte[] capture = new byte[24 + 16 + 59];
        int[] header = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0};
        for (int i = 0; i < header.length; i++) {
            capture[i] = (byte) header[i];
        }
        capture[24 + 8] = 60;
        capture[24 + 12] = 60;
        Files.write(folder.resolve("cut.pcap"), capture);
        java.nio.file.Path file = folder.resolve("s.yaml");
        Files.writeString(file, "version: 1\nworkload: {kind: replay, file: cut.pcap}\n");

        assertThatThrownBy(() -> ScenarioReader.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(file + ":2:32: workload.file: cannot use this capture: ")
                .hasMessageContaining("cut.pcap: byte ");

        Files.write(folder.resolve("whole.pcap"), java.util.Arrays.copyOf(capture, 24 + 16 + 60));
        Files.writeString(file, "version: 1\nworkload: {kind: replay, file: whole.pcap}\n");
        assertThat(read(file).guests().getFirst().workload())
                .isEqualTo(new Workload.Replay(folder.resolve("whole.pcap"), false, false, 0));
    }

    private static Scenario read(java.nio.file.Path file) {
        try {
            return ScenarioReader.read(file);
        } catch (ConfigException | IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldReadAProfileRelativeToTheScenario() throws Exception {
        Files.createDirectory(folder.resolve("costs"));
        Files.writeString(folder.resolve("costs/mine.yaml"), "schema: iolab.profile/2\n");
        java.nio.file.Path file = folder.resolve("s.yaml");
        Files.writeString(file, "version: 1\nprofile: costs/mine.yaml\n" + STREAM);

        assertThatThrownBy(() -> ScenarioReader.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(folder.resolve("costs/mine.yaml") + ":1:9: ");
    }

    @Test
    void shouldSayWhichBytesAreNoScenario() throws IOException {
        java.nio.file.Path file = folder.resolve("s.yaml");
        assertThatThrownBy(() -> ScenarioReader.read(file)).isInstanceOf(NoSuchFileException.class);

        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> ScenarioReader.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("not UTF-8");
    }

    @Test
    void shouldAddTheYardstickLikeThePassthroughGuestOnce() throws ConfigException {
        Scenario scenario = parse("version: 1\n" + STREAM + """
                guests:
                  - {path: emulated}
                  - {path: passthrough, nic: {ring: 512}, mapped: false}
                """);

        Scenario withNative = scenario.withNative();

        assertThat(withNative.guests()).hasSize(3);
        GuestConfig yardstick = withNative.guests().getLast();
        assertThat(yardstick.path()).isEqualTo(Path.NATIVE);
        assertThat(yardstick.nic().ringSize()).isEqualTo(512);
        assertThat(yardstick.mapped()).isTrue();
        assertThat(withNative.withNative()).isEqualTo(withNative);
    }
}

package io.iolab.devices.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.virtio.net.NetFeatures;
import io.iolab.devices.virtio.net.VirtioNet;
import io.iolab.devices.virtio.net.VirtioNetOptions;
import io.iolab.devices.virtio.queue.RingFeatures;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Our virtio-net beside QEMU 7.2's virtio-net-pci; the table cites sections of virtio 1.2. */
class VirtioNetGoldenTest {
    private static final List<String> NOT_THE_DEVICE = List.of("oracle", "stderr");
    /** The pin of the recorded machine's slot; line 0 is its timer. */
    private static final String PIN = "21";

    @Test
    void shouldDifferFromRecordingOnlyWhereTableSays() {
        Map<String, Object> recording = Json.resource("virtio-net-7.2.json");
        recording.keySet().removeAll(NOT_THE_DEVICE);
        for (String part : List.of("split", "packed")) {
            Map<String, Object> rings = Json.object(recording.get(part));
            rings.remove("stderr");
            Json.array(rings.get("ioapic_irq_lines"))
                    .removeIf(line -> !PIN.equals(Json.array(line).get(1)));
        }
        Map<String, Object> ours = new VirtioReplay(
                        () -> machine(NetFeatures.DEFAULT),
                        () -> machine(NetFeatures.DEFAULT | RingFeatures.RING_PACKED))
                .run();
        Judgement judgement = Judgement.of(
                "virtio-net-7.2.deviations.txt", Facts.differences(Facts.flatten(recording), Facts.flatten(ours)));
        assertThat(judgement.unlisted()).as("differences without a reason").isEmpty();
        assertThat(judgement.stale()).as("listed differences that are gone").isEmpty();
    }

    /** Packed rings are offered on demand, as on the recorded machine. */
    private static Bench machine(long features) {
        VirtioNetOptions options = new VirtioNetOptions(Nic.MAC, 256, features);
        Bench bench = new Bench((dma, pin, wire, clock) -> new VirtioNet(options, dma, pin, wire, clock));
        bench.function().setLink(true);
        return bench;
    }
}

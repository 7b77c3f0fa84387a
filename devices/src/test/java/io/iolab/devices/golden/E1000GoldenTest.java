package io.iolab.devices.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The 82540EM beside QEMU 7.2's e1000; citations in the table are sections of the 82540 SDM (317453) unless they say more. */
class E1000GoldenTest {
    private static final List<String> NOT_THE_DEVICE = List.of("oracle", "stderr");

    @Test
    void shouldDifferFromRecordingOnlyWhereTableSays() {
        Map<String, Object> recording = Json.resource("e1000-7.2.json");
        recording.keySet().removeAll(NOT_THE_DEVICE);
        try (Bench bench = new Bench(
                (dma, pin, wire, clock) -> E1000.create(E1000Model.I82540EM, Nic.MAC, dma, pin, wire, clock))) {
            bench.function().setLink(true);
            Map<String, Object> ours = new E1000Replay(bench, recording).run();
            Judgement judgement = Judgement.of(
                    "e1000-7.2.deviations.txt", Facts.differences(Facts.flatten(recording), Facts.flatten(ours)));
            assertThat(judgement.unlisted()).as("differences without a reason").isEmpty();
            assertThat(judgement.stale()).as("listed differences that are gone").isEmpty();
            assertThat(bench.stuck()).as("work that no poll can do").isFalse();
        }
    }
}

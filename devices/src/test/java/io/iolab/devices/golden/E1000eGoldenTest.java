package io.iolab.devices.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.e1000.E1000;
import io.iolab.devices.e1000.E1000Model;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The 82574L beside QEMU 7.2's e1000e; the table cites the 82574 datasheet, section by section. */
class E1000eGoldenTest {
    private static final List<String> NOT_THE_DEVICE = List.of("oracle", "stderr");
    private static final String GAPS = "eitr0_39062_is_10ms_gaps_ms";

    @Test
    void shouldDifferFromRecordingOnlyWhereTableSays() {
        Map<String, Object> recording = Json.resource("e1000e-7.2.json");
        recording.keySet().removeAll(NOT_THE_DEVICE);
        try (Bench bench = machine();
                Bench behindRootPort = machine()) {
            Map<String, Object> ours = new E1000eReplay(bench, recording).run(behindRootPort);
            Judgement judgement = Judgement.of(
                    "e1000e-7.2.deviations.txt", Facts.differences(Facts.flatten(recording), Facts.flatten(ours)));
            assertThat(judgement.unlisted()).as("differences without a reason").isEmpty();
            assertThat(judgement.stale()).as("listed differences that are gone").isEmpty();
            // EITR counts 256 ns: 39062 of them are 10 ms, and the causes come twice a millisecond.
            assertThat(Json.array(ours.get(GAPS)))
                    .isNotEmpty()
                    .allSatisfy(gap -> assertThat((Double) gap).isBetween(10.0, 10.5));
        }
    }

    private static Bench machine() {
        Bench bench =
                new Bench((dma, pin, wire, clock) -> E1000.create(E1000Model.I82574L, Nic.MAC, dma, pin, wire, clock));
        bench.function().setLink(true);
        return bench;
    }
}

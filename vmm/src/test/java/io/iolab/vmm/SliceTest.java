package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * DESIGN, "Time": a slice may see another actor's effects early by at most its own length. The burst of the I/O workers is that
 * length; halving it must move the results by little. Measured: frames and exits by nothing at all.
 */
class SliceTest {
    private static final Offset<Double> LITTLE = within(0.01);

    private static GuestFigures measure(Path path, Workload workload, int burst) throws Exception {
        LabConfig config = new LabConfig(
                CostProfile.bundled(CostProfile.DEFAULT),
                ClockMode.VIRTUAL,
                false,
                42,
                Optional.empty(),
                List.of(Labs.guest(path, workload)));
        try (Lab lab = Lab.create(config, burst)) {
            lab.warmUp(5 * Labs.MILLISECOND);
            lab.measure(30 * Labs.MILLISECOND, passed -> {});
            return lab.figures().get(0);
        }
    }

    private static double ratio(long one, long other) {
        return (one + 1.0) / (other + 1.0);
    }

    private static final Workload SENDING = Labs.stream(60, new Workload.Flow(true, 0, 32, 0), Workload.Flow.OFF);
    private static final Workload RECEIVING = Labs.stream(60, Labs.rate(100), Labs.MAX);
    private static final Workload BOTH = Labs.stream(60, new Workload.Flow(true, 0, 32, 0), Labs.rate(20_000));

    private static List<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (Path path : Path.values()) {
            for (Workload workload : List.of(SENDING, RECEIVING, BOTH)) {
                cases.add(Arguments.of(path, workload));
            }
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    @DisplayName("half the burst: frames, exits and latency move by less than 1 %")
    void shouldHardlyDependOnTheBurst(Path path, Workload workload) throws Exception {
        GuestFigures whole = measure(path, workload, NicWorker.BURST);
        GuestFigures half = measure(path, workload, NicWorker.BURST / 2);

        assertThat(ratio(half.tx().frames(), whole.tx().frames())).as("sent").isCloseTo(1, LITTLE);
        assertThat(ratio(half.rx().frames(), whole.rx().frames()))
                .as("received")
                .isCloseTo(1, LITTLE);
        assertThat(ratio(half.totalExits(), whole.totalExits())).as("exits").isCloseTo(1, LITTLE);
        assertThat(half.latencyNanos().getMean() / whole.latencyNanos().getMean())
                .as("latency")
                .isCloseTo(1, LITTLE);
        assertThat(whole.latencyNanos().getMinValue())
                .as("no frame arrives before two wires and two cables let it: nobody sees the future")
                .isGreaterThanOrEqualTo(2 * (672 + 500));
    }
}

package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The machine in wall time, on real threads: slower or faster, but no frame is damaged and nothing stands still. */
@Timeout(120)
class WallLabTest {
    private static final long LIMIT = 60_000 * Labs.MILLISECOND;

    private static List<GuestConfig> everyPathTwice(Workload workload) {
        List<GuestConfig> guests = new ArrayList<>();
        for (Path path : Path.values()) {
            for (int i = 0; i < 2; i++) {
                guests.add(new GuestConfig(
                        path.label() + i, path, Labs.RAM, LinkConfig.GIGABIT, NicTuning.DEFAULTS, workload, true));
            }
        }
        return guests;
    }

    @Test
    void shouldCarryTwoGuestsOnEachPathAtOnce() throws Exception {
        Workload workload = new Workload.UdpStream(
                List.of(60, 1514), new Workload.Flow(true, 2_000, 1, 0), new Workload.Flow(true, 2_000, 1, 0));
        try (Lab lab = Labs.create(ClockMode.WALL, 7, everyPathTwice(workload))) {
            lab.warmUp(0);
            lab.measure(300 * Labs.MILLISECOND, passed -> {});

            for (GuestFigures figures : lab.figures()) {
                assertThat(figures.tx().frames()).as(figures.guest()).isPositive();
                assertThat(figures.rx().frames()).as(figures.guest()).isPositive();
                assertThat(figures.tx().drops().get(DropCause.CORRUPT)).isZero();
                assertThat(figures.rx().drops().get(DropCause.CORRUPT)).isZero();
                assertThat(figures.rx().drops().get(DropCause.DMA_FAULT)).isZero();
            }
            assertThat(lab.faults()).isEmpty();
        }
    }

    @Test
    void shouldAnswerPingsOnEveryPath() throws Exception {
        Workload workload = new Workload.PingPong(64, 50, 0);
        List<GuestConfig> guests = Labs.onEachPath(workload);
        try (Lab lab = Labs.create(ClockMode.WALL, 7, guests)) {
            lab.warmUp(0);
            lab.measure(LIMIT, passed -> {});

            assertThat(lab.done()).isTrue();
        }
    }
}

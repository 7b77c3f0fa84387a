package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ten million frames over the three paths at once, each checked on arrival for content and sequence. */
@Tag("nightly")
class TenMillionFramesTest {
    private static final long FRAMES_PER_PATH = 3_334_000;
    private static final long TO_EACH_GUEST = 50_000;
    private static final long LIMIT = 1_200 * 1_000 * Labs.MILLISECOND;
    private static final long SETTLED = 3_000 * Labs.MILLISECOND;
    /** Deep enough for a sender at 5 kpps to wait out a pause of most of a second of a busy machine. */
    private static final LinkConfig DEEP = new LinkConfig(10_000_000_000L, 500_000L, 4_096);

    @ParameterizedTest
    @EnumSource(ClockMode.class)
    @DisplayName("every frame arrives whole and in order, in both clocks, and the heap does not grow with them")
    void shouldDeliverTenMillionFrames(ClockMode clock) throws Exception {
        Workload workload = new Workload.UdpStream(
                List.of(60),
                new Workload.Flow(true, 0, 8, FRAMES_PER_PATH),
                new Workload.Flow(true, 5_000, 1, TO_EACH_GUEST));
        List<GuestConfig> guests = new ArrayList<>();
        for (Path path : List.of(Path.EMULATED, Path.VIRTIO, Path.PASSTHROUGH)) {
            guests.add(new GuestConfig(path.label(), path, Labs.RAM, DEEP, NicTuning.DEFAULTS, workload, true));
        }

        try (Lab lab = Labs.create(clock, 42, guests)) {
            lab.warmUp(0);
            // By then every ring slot and table has been touched once.
            lab.measure(SETTLED, passed -> {});
            long before = usedHeap();
            lab.measure(LIMIT, passed -> {});

            assertThat(lab.done()).as("every frame was received").isTrue();
            long total = 0;
            for (GuestFigures figures : lab.figures()) {
                assertThat(figures.tx().dropped())
                        .as(figures.guest() + " tx drops")
                        .isZero();
                assertThat(figures.rx().dropped())
                        .as(figures.guest() + " rx drops")
                        .isZero();
                total += figures.packets();
            }
            assertThat(total).isGreaterThan(10_000_000L);
            assertThat(usedHeap() - before).as("bytes of heap kept").isLessThan(32L << 20);
        }
    }

    private static long usedHeap() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}

package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import io.iolab.vmm.VirtioTuning.Backend;
import io.iolab.vmm.VirtioTuning.Ring;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Who serves a virtqueue: the same device and driver, and what differs are exits, wake-ups and whose processor time it is. */
class VirtioBackendTest {
    private static final Workload FLAT_OUT = Labs.stream(60, Labs.MAX, Labs.rate(20_000));
    private static final Workload ROUND_TRIPS = new Workload.PingPong(128, 0, 20_000_000);

    private static GuestConfig guest(Backend backend, NicTuning nic, Workload workload) {
        NicTuning tuned = nic.withVirtio(new VirtioTuning(backend, Ring.SPLIT, false, 0));
        return new GuestConfig(
                backend.name().toLowerCase(Locale.ROOT),
                Path.VIRTIO,
                Labs.RAM,
                LinkConfig.GIGABIT,
                tuned,
                workload,
                true);
    }

    private static List<GuestConfig> all(Workload workload) {
        return List.of(Backend.values()).stream()
                .map(backend -> guest(backend, NicTuning.DEFAULTS, workload))
                .toList();
    }

    private static Map<Backend, GuestFigures> measure(Workload workload) throws Exception {
        List<GuestFigures> figures =
                Labs.measure(10 * Labs.MILLISECOND, all(workload)).all();
        Map<Backend, GuestFigures> byBackend = new EnumMap<>(Backend.class);
        for (Backend backend : Backend.values()) {
            byBackend.put(backend, figures.get(backend.ordinal()));
        }
        return byBackend;
    }

    private static double exits(Map<Backend, GuestFigures> figures, Backend backend) {
        GuestFigures of = figures.get(backend);
        return of.perPacket(of.totalExits());
    }

    private static double processor(Map<Backend, GuestFigures> figures, Backend backend) {
        GuestFigures of = figures.get(backend);
        return of.perPacket(
                of.cpuPicos().values().stream().mapToLong(Long::longValue).sum());
    }

    private static long kickExits(GuestFigures figures, ExitHandler handler) {
        return figures.exits().stream()
                .filter(exit -> exit.detail().equals("queue_notify") && exit.handler() == handler)
                .mapToLong(GuestFigures.Exits::count)
                .sum();
    }

    @Test
    @DisplayName("under load: exits of user > vhost > poll, and with poll no kick at all")
    void shouldOrderTheBackEndsByTheirExits() throws Exception {
        Map<Backend, GuestFigures> figures = measure(FLAT_OUT);

        assertThat(exits(figures, Backend.USER)).isGreaterThan(exits(figures, Backend.VHOST));
        assertThat(exits(figures, Backend.VHOST)).isGreaterThan(exits(figures, Backend.POLL));
        assertThat(figures.get(Backend.POLL).kicksSent()).isZero();
        assertThat(figures.get(Backend.POLL).kicksSuppressed()).isPositive();
        // The faster the back end, the more goes through the same guest.
        assertThat(figures.get(Backend.USER).packets())
                .isLessThan(figures.get(Backend.VHOST).packets());
        assertThat(figures.get(Backend.VHOST).packets())
                .isLessThan(figures.get(Backend.POLL).packets());
    }

    @Test
    @DisplayName("a kick ends in the VMM process without an ioeventfd, and in the kernel with one")
    void shouldFinishKicksWhereTheBackEndIs() throws Exception {
        Map<Backend, GuestFigures> figures = measure(FLAT_OUT);

        GuestFigures user = figures.get(Backend.USER);
        assertThat(kickExits(user, ExitHandler.USER))
                .isEqualTo(user.kicksSent())
                .isPositive();
        assertThat(kickExits(user, ExitHandler.KERNEL)).isZero();
        GuestFigures vhost = figures.get(Backend.VHOST);
        assertThat(kickExits(vhost, ExitHandler.KERNEL))
                .isEqualTo(vhost.kicksSent())
                .isPositive();
        assertThat(kickExits(vhost, ExitHandler.USER)).isZero();
        GuestFigures poll = figures.get(Backend.POLL);
        assertThat(kickExits(poll, ExitHandler.KERNEL) + kickExits(poll, ExitHandler.USER))
                .isZero();
    }

    @Test
    @DisplayName("only vhost is woken by kicks; user's I/O thread by frames that come in; a polling thread by nothing")
    void shouldWakeOnlyWhatSleeps() throws Exception {
        for (Workload workload : List.of(FLAT_OUT, ROUND_TRIPS)) {
            Map<Backend, GuestFigures> figures = measure(workload);

            assertThat(figures.get(Backend.USER).wakeups().get(WakeCause.KICK)).isZero();
            assertThat(figures.get(Backend.USER).wakeups().get(WakeCause.FRAME)).isPositive();
            assertThat(figures.get(Backend.VHOST).wakeups().get(WakeCause.KICK)).isPositive();
            assertThat(figures.get(Backend.POLL).totalWakeups()).isZero();
        }
    }

    @Test
    @DisplayName("polling takes a whole processor: work, copies and looking add up to the time that passed")
    void shouldAccountForAWholeProcessorOfAPollingThread() throws Exception {
        Map<Backend, GuestFigures> figures = measure(ROUND_TRIPS);

        GuestFigures poll = figures.get(Backend.POLL);
        long thread = poll.cpuPicos().get(CpuShare.POLLING)
                + poll.cpuPicos().get(CpuShare.WORKER)
                + poll.cpuPicos().get(CpuShare.COPY);
        assertThat(thread)
                .isCloseTo((long) (poll.seconds() * 1e12), org.assertj.core.data.Percentage.withPercentage(1));
        assertThat(figures.get(Backend.USER).cpuPicos().get(CpuShare.POLLING)).isZero();
        assertThat(figures.get(Backend.VHOST).cpuPicos().get(CpuShare.POLLING)).isZero();
        assertThat(processor(figures, Backend.POLL)).isGreaterThan(processor(figures, Backend.USER));
        assertThat(processor(figures, Backend.USER)).isGreaterThan(processor(figures, Backend.VHOST));
    }

    @Test
    @DisplayName("a round trip is shortest where nobody has to be woken, and longest through the VMM process")
    void shouldOrderTheBackEndsByRoundTrip() throws Exception {
        Map<Backend, GuestFigures> figures = measure(ROUND_TRIPS);

        assertThat(p50(figures, Backend.POLL)).isLessThan(p50(figures, Backend.VHOST));
        assertThat(p50(figures, Backend.VHOST)).isLessThan(p50(figures, Backend.USER));
    }

    private static long p50(Map<Backend, GuestFigures> figures, Backend backend) {
        return figures.get(backend).latencyNanos().getValueAtPercentile(50);
    }

    private static List<Arguments> everyForm() {
        List<Arguments> forms = new ArrayList<>();
        for (Backend backend : Backend.values()) {
            for (Ring ring : Ring.values()) {
                for (boolean inOrder : new boolean[] {false, true}) {
                    forms.add(Arguments.of(backend, ring, inOrder, true));
                    forms.add(Arguments.of(backend, ring, inOrder, false));
                }
            }
        }
        return forms;
    }

    @ParameterizedTest
    @MethodSource("everyForm")
    void shouldDeliverEveryFrameIntact(Backend backend, Ring ring, boolean inOrder, boolean eventIndex)
            throws Exception {
        NicTuning nic = new NicTuning(64, 0, 0, 0, false, eventIndex, eventIndex, true)
                .withVirtio(new VirtioTuning(backend, ring, inOrder, 0));
        Workload workload = new Workload.UdpStream(
                List.of(60, 64, 576, 1514), Labs.count(4_000), new Workload.Flow(true, 20_000, 1, 1_000));

        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 7, List.of(Labs.guest(Path.VIRTIO, nic, workload, true)))) {
            lab.warmUp(0);
            lab.measure(2_000 * Labs.MILLISECOND, passed -> {});

            assertThat(lab.done()).as("every frame was received").isTrue();
            GuestFigures figures = lab.figures().getFirst();
            assertThat(figures.tx().dropped() + figures.rx().dropped()).isZero();
            if (backend == Backend.POLL) {
                assertThat(figures.kicksSent())
                        .as("each queue's first, before the device could say that it wants none")
                        .isLessThanOrEqualTo(2);
            }
        }
    }

    private static long descriptors(GuestFigures figures, Access access) {
        return figures.dma().stream()
                .filter(dma -> dma.kind() == DmaKind.DESCRIPTOR && dma.access() == access)
                .mapToLong(GuestFigures.Dma::requests)
                .sum();
    }

    /** virtio 1.2 sections 2.7.9 and 2.8.8. */
    @Test
    @DisplayName("in order: fewer bytes written back; in either ring a burst's descriptors come with a few requests")
    void shouldWriteBackLessInOrder() throws Exception {
        List<GuestConfig> guests = new ArrayList<>();
        for (Ring ring : Ring.values()) {
            for (boolean inOrder : new boolean[] {false, true}) {
                guests.add(new GuestConfig(
                        ring + "-" + inOrder,
                        Path.VIRTIO,
                        Labs.RAM,
                        LinkConfig.GIGABIT,
                        NicTuning.DEFAULTS.withVirtio(new VirtioTuning(Backend.VHOST, ring, inOrder, 0)),
                        Labs.stream(60, new Workload.Flow(true, 0, 8, 0), Workload.Flow.OFF),
                        true));
            }
        }

        List<GuestFigures> figures = Labs.measure(10 * Labs.MILLISECOND, guests).all();

        for (int ring : new int[] {0, 2}) {
            assertThat(descriptors(figures.get(ring), Access.READ))
                    .isLessThan(figures.get(ring).tx().frames());
            assertThat(written(figures.get(ring + 1))).isLessThan(written(figures.get(ring)));
        }
    }

    private static long written(GuestFigures figures) {
        return figures.dma().stream()
                .filter(dma -> dma.kind() == DmaKind.DESCRIPTOR && dma.access() == Access.WRITE)
                .mapToLong(GuestFigures.Dma::bytes)
                .sum();
    }

    @ParameterizedTest
    @EnumSource(Backend.class)
    @DisplayName("the same back end on real threads: the same rules, whatever the machine's times")
    void shouldKeepItsRulesOnTheWallClock(Backend backend) throws Exception {
        Workload workload = new Workload.PingPong(128, 50, 0);
        try (Lab lab = Labs.create(ClockMode.WALL, 7, List.of(guest(backend, NicTuning.DEFAULTS, workload)))) {
            lab.warmUp(0);
            lab.measure(20_000 * Labs.MILLISECOND, passed -> {});

            assertThat(lab.done()).isTrue();
            GuestFigures figures = lab.figures().getFirst();
            assertThat(figures.cpuPicos().get(CpuShare.POLLING) > 0).isEqualTo(backend == Backend.POLL);
            assertThat(kickExits(figures, ExitHandler.USER) > 0).isEqualTo(backend == Backend.USER);
            assertThat(figures.totalWakeups() == 0).isEqualTo(backend == Backend.POLL);
        }
    }

    @Test
    void shouldRepeatItselfExactly() throws Exception {
        String first = Labs.measure(5 * Labs.MILLISECOND, all(FLAT_OUT)).all().toString();

        assertThat(Labs.measure(5 * Labs.MILLISECOND, all(FLAT_OUT)).all().toString())
                .isEqualTo(first);
    }
}

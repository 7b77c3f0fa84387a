package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.iolab.devices.dma.DmaKind;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The machine as a whole, in virtual time: what each path costs, and that nothing is lost on it. */
class LabTest {
    private static final Workload BOTH_WAYS = Labs.stream(60, Labs.MAX, Labs.rate(20_000));

    private static long exits(GuestFigures figures, String detail) {
        return figures.exits().stream()
                .filter(exit -> exit.detail().equals(detail))
                .mapToLong(GuestFigures.Exits::count)
                .sum();
    }

    private static long exits(GuestFigures figures, ExitReason reason) {
        return figures.exits().stream()
                .filter(exit -> exit.reason() == reason)
                .mapToLong(GuestFigures.Exits::count)
                .sum();
    }

    @Test
    @DisplayName("same seed and profile: the same figures, to the last digit")
    void shouldRepeatItselfExactly() throws Exception {
        List<GuestConfig> guests = Labs.onEachPath(BOTH_WAYS);

        String first = Labs.measure(5 * Labs.MILLISECOND, guests).all().toString();
        String second = Labs.measure(5 * Labs.MILLISECOND, guests).all().toString();

        assertThat(second).isEqualTo(first);
    }

    @Test
    void shouldOrderThePathsByTheirExits() throws Exception {
        Labs.Map figures = Labs.measure(10 * Labs.MILLISECOND, Labs.onEachPath(BOTH_WAYS));

        double emulated = perPacket(figures.of(Path.EMULATED));
        double virtio = perPacket(figures.of(Path.VIRTIO));
        double passthrough = perPacket(figures.of(Path.PASSTHROUGH));
        assertThat(emulated).isGreaterThan(virtio);
        assertThat(virtio).isGreaterThan(passthrough);
        assertThat(figures.of(Path.NATIVE).totalExits()).isZero();
    }

    private static double perPacket(GuestFigures figures) {
        return figures.perPacket(figures.totalExits());
    }

    @Test
    @DisplayName("emulated: one TDT exit a doorbell; ICR, IMC, IMS and EOI once for each receive interrupt")
    void shouldExitAsAnEmulatedE1000Does() throws Exception {
        GuestFigures emulated = Labs.measure(10 * Labs.MILLISECOND, List.of(Labs.guest(Path.EMULATED, BOTH_WAYS)))
                .of(Path.EMULATED);

        long interrupts = emulated.interrupts().get(InterruptOutcome.INJECTED);
        assertThat(exits(emulated, "TDT")).isEqualTo(emulated.kicksSent());
        assertThat(exits(emulated, "TDT")).isCloseTo(emulated.tx().frames(), within(1L));
        assertThat(interrupts).isPositive();
        assertThat(exits(emulated, "ICR")).isCloseTo(interrupts, within(1L));
        assertThat(exits(emulated, "IMC")).isCloseTo(interrupts, within(1L));
        assertThat(exits(emulated, "IMS")).isCloseTo(interrupts, within(1L));
        assertThat(exits(emulated, "EOI")).isCloseTo(interrupts, within(1L));
        assertThat(emulated.exits())
                .filteredOn(exit -> exit.detail().equals("TDT") || exit.detail().equals("ICR"))
                .allMatch(exit -> exit.handler() == ExitHandler.USER && exit.reason() == ExitReason.EPT_MISCONFIG);
    }

    @Test
    void shouldTouchNoTrappedRegisterOnThePassthroughDataPath() throws Exception {
        GuestFigures figures = Labs.measure(10 * Labs.MILLISECOND, List.of(Labs.guest(Path.PASSTHROUGH, BOTH_WAYS)))
                .of(Path.PASSTHROUGH);

        assertThat(exits(figures, ExitReason.EPT_MISCONFIG) + exits(figures, ExitReason.EPT_VIOLATION))
                .isZero();
        assertThat(exits(figures, ExitReason.IO_INSTRUCTION)).isZero();
        assertThat(figures.copiedBytes()).isZero();
        assertThat(figures.iommu().iotlbHits()).isPositive();
    }

    @Test
    @DisplayName(
            "an MSI-X table in the page of the doorbell: that page cannot be mapped, and each TDT write exits to the VMM")
    void shouldExitForRegistersThatShareAPageWithTheVectors() throws Exception {
        NicTuning shared = NicTuning.DEFAULTS.withMsixSharedPage(true);
        GuestFigures figures = Labs.measure(
                        10 * Labs.MILLISECOND, List.of(Labs.guest(Path.PASSTHROUGH, shared, BOTH_WAYS, true)))
                .of(Path.PASSTHROUGH);
        GuestFigures plain = Labs.measure(10 * Labs.MILLISECOND, List.of(Labs.guest(Path.PASSTHROUGH, BOTH_WAYS)))
                .of(Path.PASSTHROUGH);

        assertThat(exits(figures, "TDT")).isEqualTo(figures.kicksSent()).isPositive();
        assertThat(figures.exits())
                .filteredOn(exit -> exit.reason() == ExitReason.EPT_MISCONFIG)
                .as("other pages of the BAR stay mapped: RDT, ICR, IMS")
                .allMatch(exit -> exit.detail().equals("TDT") && exit.handler() == ExitHandler.USER);
        assertThat(perPacket(figures)).isGreaterThan(10 * perPacket(plain));
        assertThat(figures.packets()).isLessThan(plain.packets());
        assertThat(figures.copiedBytes()).as("still a direct path").isZero();
        assertThat(figures.rx().dropped() + figures.tx().dropped()).isZero();
    }

    @Test
    @DisplayName("virtio: a kick is finished in the kernel, and is suppressed while the worker is busy")
    void shouldKickThroughAnIoeventfd() throws Exception {
        GuestFigures figures = Labs.measure(10 * Labs.MILLISECOND, List.of(Labs.guest(Path.VIRTIO, BOTH_WAYS)))
                .of(Path.VIRTIO);

        assertThat(exits(figures, "queue_notify")).isEqualTo(figures.kicksSent());
        assertThat(figures.kicksSuppressed()).isPositive();
        assertThat(figures.exits())
                .filteredOn(exit -> exit.detail().equals("queue_notify"))
                .allMatch(exit -> exit.handler() == ExitHandler.KERNEL);
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    void shouldDeliverEveryFrameIntact(Path path) throws Exception {
        Workload workload = new Workload.UdpStream(
                List.of(60, 64, 576, 1514), Labs.count(4_000), new Workload.Flow(true, 20_000, 1, 1_000));

        Labs.Map figures;
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 7, List.of(Labs.guest(path, workload)))) {
            lab.warmUp(0);
            lab.measure(2_000 * Labs.MILLISECOND, passed -> {});
            assertThat(lab.done()).as("every frame was received").isTrue();
            figures = new Labs.Map(lab.figures());
        }

        GuestFigures figure = figures.of(path);
        assertThat(figure.tx().dropped() + figure.rx().dropped()).isZero();
        assertThat(figure.tx().frames()).isGreaterThanOrEqualTo(3_990);
        assertThat(figure.rx().frames()).isBetween(990L, 1_001L);
        assertThat(figure.latencyNanos().getTotalCount()).isGreaterThanOrEqualTo(4_980);
    }

    @Test
    @DisplayName(
            "a device whose mapping is missing moves no byte and leaves a fault record; the others go on (VT-d 7.1)")
    void shouldBlockADeviceWithoutMappings() throws Exception {
        List<GuestConfig> guests = new ArrayList<>();
        guests.add(Labs.guest(Path.PASSTHROUGH, NicTuning.DEFAULTS, BOTH_WAYS, false));
        guests.add(Labs.guest(Path.VIRTIO, BOTH_WAYS));
        guests.add(Labs.guest(Path.EMULATED, BOTH_WAYS));
        List<GuestFigures> alone =
                Labs.measure(5 * Labs.MILLISECOND, guests.subList(1, 3)).all();

        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, guests)) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(5 * Labs.MILLISECOND, passed -> {});
            Labs.Map figures = new Labs.Map(lab.figures());

            GuestFigures blocked = figures.of(Path.PASSTHROUGH);
            assertThat(blocked.dma().stream()
                            .filter(dma -> dma.kind() != DmaKind.MESSAGE)
                            .mapToLong(GuestFigures.Dma::bytes)
                            .sum())
                    .isZero();
            assertThat(blocked.rx().frames()).isZero();
            assertThat(lab.links().stream()
                            .filter(link -> link.name().equals("passthrough.tx"))
                            .mapToLong(io.iolab.vmm.backend.Link::frames)
                            .sum())
                    .isZero();
            assertThat(lab.faults()).isNotEmpty();
            FaultReport fault = lab.faults().keySet().iterator().next();
            assertThat(fault.toString())
                    .contains("00:08.0")
                    .contains("fault addr")
                    .contains("fault reason");
            for (GuestFigures undisturbed : alone) {
                assertThat(figures.of(undisturbed.path()).tx().frames())
                        .as(undisturbed.path().label())
                        .isCloseTo(
                                undisturbed.tx().frames(),
                                within(undisturbed.tx().frames() / 50 + 1));
            }
        }
    }

    @Test
    @DisplayName(
            "one frame a doorbell, an interrupt a frame: within 1.5 of the 100 kpps of Rizzo et al., ANCS 2013, 2.4")
    void shouldLandNearThePublishedTransmitRate() throws Exception {
        NicTuning plain = NicTuning.DEFAULTS;
        NicTuning each = new NicTuning(
                plain.ringSize(), 0, 0, 0, true, plain.eventIndex(), plain.mergeable(), plain.coalescedMmio());
        Workload transmit = Labs.stream(60, Labs.MAX, Workload.Flow.OFF);

        GuestFigures figures = Labs.measure(
                        20 * Labs.MILLISECOND, List.of(Labs.guest(Path.EMULATED, each, transmit, true)))
                .of(Path.EMULATED);

        assertThat(figures.tx().frames() / figures.seconds()).isBetween(100_000 / 1.5, 100_000 * 1.5);
        assertThat(exits(figures, "TDT")).isCloseTo(figures.tx().frames(), within(1L));
        assertThat(exits(figures, "ICR")).isCloseTo(figures.tx().frames(), within(1L));
        assertThat(exits(figures, "EOI")).isCloseTo(figures.tx().frames(), within(1L));
    }

    @Test
    void shouldMeasureRoundTripsOfPingPong() throws Exception {
        Labs.Map figures = Labs.measure(10 * Labs.MILLISECOND, Labs.onEachPath(new Workload.PingPong(64, 0, 0)));

        for (GuestFigures figure : figures.all()) {
            assertThat(figure.latencyNanos().getTotalCount())
                    .as(figure.path().label())
                    .isGreaterThan(100);
        }
        assertThat(figures.of(Path.NATIVE).latencyNanos().getValueAtPercentile(50))
                .isLessThan(figures.of(Path.PASSTHROUGH).latencyNanos().getValueAtPercentile(50));
        assertThat(perPacket(figures.of(Path.EMULATED))).isGreaterThan(perPacket(figures.of(Path.VIRTIO)));
        assertThat(perPacket(figures.of(Path.VIRTIO))).isGreaterThan(perPacket(figures.of(Path.PASSTHROUGH)));
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    @DisplayName("ARP, ICMP echo and UDP echo are answered by a guest (RFC 826, 792, 862)")
    void shouldAnswerEchoRequests(Path path) throws Exception {
        GuestFigures figures = Labs.measure(
                        10 * Labs.MILLISECOND, List.of(Labs.guest(path, new Workload.EchoResponder(128, 5_000))))
                .of(path);

        assertThat(figures.rx().frames()).isBetween(45L, 55L);
        assertThat(figures.tx().frames()).isBetween(45L, 55L);
    }
}

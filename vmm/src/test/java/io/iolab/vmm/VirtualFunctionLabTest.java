package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.iolab.devices.dma.DmaKind;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.vmm.backend.Link;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Guests with virtual functions of one 82576 (PCI Express SR-IOV 1.1; 82576 datasheet 7.10), beside guests with a NIC of their own. */
@DisplayName("Virtual functions in the lab")
class VirtualFunctionLabTest {
    private static final Workload BOTH_WAYS = Labs.stream(60, Labs.rate(200_000), Labs.rate(20_000));

    private static GuestConfig guest(String name, NicTuning nic, Workload workload, boolean mapped) {
        return new GuestConfig(name, Path.PASSTHROUGH, Labs.RAM, LinkConfig.GIGABIT, nic, workload, mapped);
    }

    private static GuestConfig virtual(String name, Workload workload) {
        return guest(name, NicTuning.DEFAULTS.withAssigned(AssignedNic.IGBVF), workload, true);
    }

    private static GuestFigures figures(Lab lab, String name) {
        return lab.figures().stream()
                .filter(figures -> figures.guest().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static double exitsPerPacket(GuestFigures figures) {
        return figures.perPacket(figures.totalExits());
    }

    private static long bytes(GuestFigures figures) {
        return figures.dma().stream()
                .filter(dma -> dma.kind() != DmaKind.MESSAGE)
                .mapToLong(GuestFigures.Dma::bytes)
                .sum();
    }

    @Test
    @DisplayName("two guests on two functions: every frame arrives, and only those that the port has carried")
    void shouldDeliverEveryFrameIntact() throws Exception {
        Workload workload = new Workload.UdpStream(
                List.of(60, 64, 576, 1514), Labs.count(2_000), new Workload.Flow(true, 20_000, 1, 1_000));

        try (Lab lab =
                Labs.create(ClockMode.VIRTUAL, 7, List.of(virtual("first", workload), virtual("second", workload)))) {
            lab.warmUp(0);
            lab.measure(2_000 * Labs.MILLISECOND, passed -> {});

            assertThat(lab.done()).as("every frame was received").isTrue();
            assertThat(lab.faults()).isEmpty();
            long carried = 0;
            for (GuestFigures figures : lab.figures()) {
                assertThat(figures.tx().dropped() + figures.rx().dropped()).isZero();
                assertThat(figures.tx().frames()).isGreaterThanOrEqualTo(1_990);
                assertThat(figures.rx().frames()).isBetween(990L, 1_001L);
                carried += figures.tx().frames();
            }
            assertThat(lab.links().stream().map(Link::name))
                    .containsExactly(
                            "82576.port.tx",
                            "82576.port.rx",
                            "first-peer.tx",
                            "first-peer.rx",
                            "second-peer.tx",
                            "second-peer.rx");
            assertThat(lab.links().getFirst().frames()).isBetween(carried, carried + 20);
        }
    }

    @Test
    @DisplayName(
            "exits are those of an assigned 82574L under the same load, and no register of the data path is trapped")
    void shouldExitAsAnAssignedNicDoes() throws Exception {
        List<GuestConfig> guests = new ArrayList<>();
        guests.add(guest("own", NicTuning.DEFAULTS, BOTH_WAYS, true));
        guests.add(virtual("first", BOTH_WAYS));
        guests.add(virtual("second", BOTH_WAYS));

        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, guests)) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(20 * Labs.MILLISECOND, passed -> {});

            GuestFigures own = figures(lab, "own");
            for (String name : List.of("first", "second")) {
                GuestFigures figures = figures(lab, name);
                assertThat(exitsPerPacket(figures)).isCloseTo(exitsPerPacket(own), within(exitsPerPacket(own) / 20));
                assertThat(figures.exits())
                        .extracting(GuestFigures.Exits::reason)
                        .doesNotContain(ExitReason.EPT_MISCONFIG, ExitReason.EPT_VIOLATION, ExitReason.IO_INSTRUCTION);
                assertThat(figures.exits().stream().map(GuestFigures.Exits::reason))
                        .containsExactlyInAnyOrderElementsOf(own.exits().stream()
                                .map(GuestFigures.Exits::reason)
                                .toList());
                assertThat(figures.copiedBytes()).isZero();
                assertThat(figures.tx().frames())
                        .isCloseTo(own.tx().frames(), within(own.tx().frames() / 100));
                assertThat(figures.rx().frames()).isCloseTo(own.rx().frames(), within(10L));
            }
        }
    }

    @Test
    @DisplayName("VT-d 3.4.1: each function's requests are looked up under its own requester id, one look-up a request")
    void shouldPassTheUnitUnderItsOwnRequesterId() throws Exception {
        List<GuestConfig> guests = List.of(virtual("first", BOTH_WAYS), virtual("second", BOTH_WAYS));

        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, guests)) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(5 * Labs.MILLISECOND, passed -> {});

            for (GuestFigures figures : lab.figures()) {
                long requests = figures.dma().stream()
                        .filter(dma -> dma.kind() != DmaKind.MESSAGE)
                        .mapToLong(GuestFigures.Dma::requests)
                        .sum();
                assertThat(requests).isPositive();
                assertThat(figures.iommu().iotlbHits() + figures.iommu().iotlbMisses())
                        .as("one look-up a request that does not cross a page")
                        .isGreaterThanOrEqualTo(requests)
                        .isLessThan(requests + requests / 10);
            }
        }
    }

    @Test
    @DisplayName(
            "a function whose mapping is missing moves no byte and faults as itself; its neighbour on the same controller goes on")
    void shouldBlockTheOneWithoutMappings() throws Exception {
        NicTuning nic = NicTuning.DEFAULTS.withAssigned(AssignedNic.IGBVF);
        List<GuestConfig> guests =
                List.of(guest("blocked", nic, BOTH_WAYS, false), guest("working", nic, BOTH_WAYS, true));

        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, guests)) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(5 * Labs.MILLISECOND, passed -> {});

            assertThat(bytes(figures(lab, "blocked"))).isZero();
            assertThat(figures(lab, "blocked").rx().frames()).isZero();
            assertThat(figures(lab, "working").tx().frames()).isCloseTo(1_000L, within(20L));
            assertThat(figures(lab, "working").rx().frames()).isCloseTo(100L, within(5L));
            assertThat(lab.faults().keySet()).isNotEmpty().allMatch(fault -> fault.rid() == 0x0180);
            assertThat(lab.faults().keySet().stream().map(FaultReport::toString))
                    .allMatch(line -> line.contains("01:10.0"));
        }
    }

    @Test
    @DisplayName(
            "each function is a group of its own behind a port with access control, as is the host's physical function")
    void shouldBeGroupsOfTheirOwn() throws Exception {
        try (Lab lab =
                Labs.create(ClockMode.VIRTUAL, 1, List.of(virtual("first", BOTH_WAYS), virtual("second", BOTH_WAYS)))) {
            assertThat(lab.iommuGroups().groups().stream()
                            .map(group -> group.members().stream()
                                    .map(node -> Integer.toHexString(node.rid()))
                                    .toList()))
                    .containsExactlyInAnyOrder(List.of("8"), List.of("100"), List.of("180"), List.of("182"));
        }
    }

    @Test
    @DisplayName("posted: a function's three vectors have entries of their own, and no interrupt exits")
    void shouldHaveItsInterruptsPosted() throws Exception {
        NicTuning nic = NicTuning.DEFAULTS.withAssigned(AssignedNic.IGBVF).withInterrupts(InterruptDelivery.POSTED);
        List<GuestConfig> guests = List.of(guest("first", nic, BOTH_WAYS, true), guest("second", nic, BOTH_WAYS, true));

        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 3, guests)) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(5 * Labs.MILLISECOND, passed -> {});

            for (GuestFigures figures : lab.figures()) {
                assertThat(figures.interrupts().get(InterruptOutcome.POSTED)).isGreaterThan(50);
                assertThat(figures.interrupts().getOrDefault(InterruptOutcome.BLOCKED, 0L))
                        .isZero();
                assertThat(figures.exits())
                        .as("what is left: sleep, and the timer that goes with it")
                        .noneMatch(exit -> exit.reason() == ExitReason.EXTERNAL_INTERRUPT
                                || exit.detail().equals("EOI"));
            }
        }
    }

    @Test
    @DisplayName("the port is one: two guests that send without limit share its gigabit evenly")
    void shouldShareThePort() throws Exception {
        Workload transmit = Labs.stream(1514, Labs.MAX, Workload.Flow.OFF);
        try (Lab lab =
                Labs.create(ClockMode.VIRTUAL, 5, List.of(virtual("first", transmit), virtual("second", transmit)))) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(20 * Labs.MILLISECOND, passed -> {});

            long first = figures(lab, "first").tx().frames();
            long second = figures(lab, "second").tx().frames();
            // 1538 bytes a frame on the wire: 81.3 kframe/s.
            assertThat(first + second).isCloseTo(1_626L, within(60L));
            assertThat(first).isCloseTo(second, within(80L));
        }
    }

    @Test
    @DisplayName("same seed: the same figures, to the last digit")
    void shouldRepeatItselfExactly() throws Exception {
        List<GuestConfig> guests = List.of(virtual("first", BOTH_WAYS), virtual("second", BOTH_WAYS));

        assertThat(Labs.measure(2 * Labs.MILLISECOND, guests).all().toString())
                .isEqualTo(Labs.measure(2 * Labs.MILLISECOND, guests).all().toString());
    }

    @Test
    void shouldKeepGoingOnThreads() throws Exception {
        Workload load = new Workload.PingPong(60, 0, 0);
        try (Lab lab = Labs.create(ClockMode.WALL, 3, List.of(virtual("first", load), virtual("second", load)))) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(300 * Labs.MILLISECOND, passed -> {});
            assertThat(lab.figures()).allMatch(figures -> figures.rx().frames() > 10);
        }
    }

    @Test
    @DisplayName("82576 datasheet 7.10: eight pools, of which the host keeps one")
    void shouldRefuseMoreGuestsThanFunctions() {
        List<GuestConfig> guests = new ArrayList<>();
        for (int i = 0; i <= AssignedNic.MOST_VIRTUAL_FUNCTIONS; i++) {
            guests.add(virtual("guest-" + i, BOTH_WAYS));
        }
        assertThatThrownBy(() -> Labs.create(ClockMode.VIRTUAL, 1, guests))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 7");
    }
}

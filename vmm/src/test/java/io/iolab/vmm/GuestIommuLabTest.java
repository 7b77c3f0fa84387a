package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guests whose kernels drive a remapping unit for their NIC: one that the VMM shows them, or the host's own (VT-d 6.1, 6.5). */
class GuestIommuLabTest {
    private static final Workload BOTH_WAYS = Labs.stream(60, Labs.rate(50_000), Labs.rate(50_000));

    private static GuestConfig guest(String name, Path path, Workload workload, Viommu viommu, Policy policy) {
        return new GuestConfig(
                name,
                path,
                Labs.RAM,
                LinkConfig.GIGABIT,
                NicTuning.DEFAULTS,
                workload,
                true,
                new IommuTuning(viommu, policy));
    }

    private static GuestConfig shadowed(Workload workload, Policy policy) {
        return guest("guest", Path.PASSTHROUGH, workload, Viommu.SHADOW, policy);
    }

    private static long exits(GuestFigures figures, String prefix) {
        return figures.exits().stream()
                .filter(exits -> exits.detail().startsWith(prefix))
                .mapToLong(GuestFigures.Exits::count)
                .sum();
    }

    private static Workload counted() {
        return new Workload.UdpStream(List.of(60, 576, 1514), Labs.count(600), new Workload.Flow(true, 20_000, 1, 400));
    }

    @ParameterizedTest
    @EnumSource(
            value = Policy.class,
            names = {"STRICT", "DEFERRED", "SHADOW", "PASSTHROUGH"})
    @DisplayName("every frame arrives intact, whatever the policy, behind a unit that the guest sees")
    void shouldDeliverEveryFrameBehindAVirtualUnit(Policy policy) throws Exception {
        deliverEveryFrame(shadowed(counted(), policy));
    }

    @ParameterizedTest
    @EnumSource(
            value = Policy.class,
            names = {"STRICT", "DEFERRED", "SHADOW", "PASSTHROUGH"})
    @DisplayName("and behind the host's own on the native path")
    void shouldDeliverEveryFrameOnTheNativePath(Policy policy) throws Exception {
        deliverEveryFrame(guest("native", Path.NATIVE, counted(), Viommu.NONE, policy));
    }

    private static void deliverEveryFrame(GuestConfig guest) throws Exception {
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 7, List.of(guest))) {
            lab.warmUp(0);
            lab.measure(2_000 * Labs.MILLISECOND, passed -> {});
            assertThat(lab.done()).as("every frame was received").isTrue();
            assertThat(lab.faults()).isEmpty();
            GuestFigures figures = lab.figures().getFirst();
            assertThat(figures.tx().dropped() + figures.rx().dropped()).isZero();
            boolean translated =
                    guest.path() == Path.PASSTHROUGH || guest.iommu().policy() != Policy.PASSTHROUGH;
            assertThat(figures.iommu().iotlbHits() + figures.iommu().iotlbMisses() > 0)
                    .as("translated by the unit; a pass-through entry needs no IOTLB (3.9)")
                    .isEqualTo(translated);
        }
    }

    @Test
    @DisplayName(
            "6.1: in caching mode strict mapping exits once for each map and once for each unmap, and nothing else exits more")
    void shouldExitForEachMapAndUnmap() throws Exception {
        GuestConfig plain = new GuestConfig(
                "plain", Path.PASSTHROUGH, Labs.RAM, LinkConfig.GIGABIT, NicTuning.DEFAULTS, BOTH_WAYS, true);
        GuestConfig strict = shadowed(BOTH_WAYS, Policy.STRICT);
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, List.of(plain, strict))) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(10 * Labs.MILLISECOND, passed -> {});
            GuestFigures without = lab.figures().get(0);
            GuestFigures with = lab.figures().get(1);
            assertThat(exits(without, "viommu.")).isZero();
            double each = (double) exits(with, "viommu.IQT") / with.packets();
            assertThat(each).as("a map and an unmap for each packet").isBetween(1.9, 2.1);
            assertThat(with.perPacket(with.totalExits() - exits(with, "viommu.")))
                    .as("all other exits")
                    .isLessThanOrEqualTo(without.perPacket(without.totalExits()) * 1.01);
            assertThat(with.iommu().invalidations()).isPositive();
        }
    }

    @Test
    @DisplayName("shadow copy and passthrough map nothing once they run: no exit of the unit")
    void shouldNotExitWhenNothingIsMapped() throws Exception {
        for (Policy policy : List.of(Policy.SHADOW, Policy.PASSTHROUGH)) {
            try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, List.of(shadowed(BOTH_WAYS, policy)))) {
                lab.warmUp(2 * Labs.MILLISECOND);
                lab.measure(5 * Labs.MILLISECOND, passed -> {});
                assertThat(exits(lab.figures().getFirst(), "viommu."))
                        .as("%s", policy)
                        .isZero();
            }
        }
    }

    @Test
    @DisplayName("6.5.2.2: deferred unmapping invalidates by the whole domain, once for up to 250 buffers")
    void shouldFlushSeldomWhenDeferred() throws Exception {
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, List.of(shadowed(BOTH_WAYS, Policy.DEFERRED)))) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(20 * Labs.MILLISECOND, passed -> {});
            GuestFigures figures = lab.figures().getFirst();
            double each = (double) exits(figures, "viommu.IQT") / figures.packets();
            assertThat(each).as("maps, and a flush now and then").isBetween(0.95, 1.1);
        }
    }
}

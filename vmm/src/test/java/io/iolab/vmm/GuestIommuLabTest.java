package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.devices.memory.Access;
import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
    @CsvSource({
        "SHADOW, STRICT", "SHADOW, DEFERRED", "SHADOW, SHADOW", "SHADOW, PASSTHROUGH",
        "NESTED, STRICT", "NESTED, DEFERRED", "NESTED, SHADOW", "NESTED, PASSTHROUGH"
    })
    @DisplayName("every frame arrives intact, whatever the policy, behind a unit that the guest sees")
    void shouldDeliverEveryFrameBehindAVirtualUnit(Viommu viommu, Policy policy) throws Exception {
        deliverEveryFrame(guest("guest", Path.PASSTHROUGH, counted(), viommu, policy));
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

    private static GuestFigures run(GuestConfig guest, long picos) throws Exception {
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, List.of(guest))) {
            lab.warmUp(2 * Labs.MILLISECOND);
            lab.measure(picos, passed -> {});
            assertThat(lab.faults()).isEmpty();
            return lab.figures().getFirst();
        }
    }

    @Test
    @DisplayName(
            "6.1: with caching mode each map and each unmap is told, walked for, and followed in the host's tables")
    void shouldFollowEachChangeWhenShadowing() throws Exception {
        GuestFigures figures = run(shadowed(BOTH_WAYS, Policy.STRICT), 10 * Labs.MILLISECOND);
        GuestFigures.GuestUnit unit = figures.iommu().guestUnit().orElseThrow();
        assertThat(unit.maps()).isGreaterThan(800);
        assertThat(unit.mapExits()).isEqualTo(unit.maps());
        assertThat(unit.unmapExits()).isEqualTo(unit.unmaps());
        assertThat(exits(figures, "viommu.")).as("no other").isEqualTo(unit.maps() + unit.unmaps());
        assertThat(unit.invalidations()).isEqualTo(unit.maps() + unit.unmaps());
        assertThat(unit.walks()).isEqualTo(unit.invalidations());
        assertThat(unit.hostMaps()).isEqualTo(unit.maps());
        assertThat(unit.hostUnmaps()).isEqualTo(unit.unmaps());
        assertThat(unit.hostInvalidations()).isEqualTo(unit.unmaps());
    }

    @Test
    @DisplayName(
            "3.8: nested, no map exits; each unmap exits once, to invalidate by PASID, which is repeated on the host's unit")
    void shouldExitForUnmapsAloneWhenNesting() throws Exception {
        GuestConfig guest = guest("guest", Path.PASSTHROUGH, BOTH_WAYS, Viommu.NESTED, Policy.STRICT);
        GuestFigures figures = run(guest, 10 * Labs.MILLISECOND);
        GuestFigures.GuestUnit unit = figures.iommu().guestUnit().orElseThrow();
        assertThat(unit.maps()).isGreaterThan(800);
        assertThat(unit.mapExits()).isZero();
        assertThat(unit.unmapExits()).isEqualTo(unit.unmaps());
        assertThat(exits(figures, "viommu.IQT")).isEqualTo(unit.unmaps());
        assertThat(exits(figures, "viommu.")).as("no other").isEqualTo(unit.unmaps());
        assertThat(unit.invalidations()).isEqualTo(unit.unmaps());
        assertThat(unit.hostInvalidations()).isEqualTo(unit.unmaps());
        assertThat(unit.walks() + unit.hostMaps() + unit.hostUnmaps())
                .as("nobody looks at the guest's tables")
                .isZero();
    }

    @Test
    @DisplayName("6.5.2.4: nested and deferred, one invalidation of the whole PASID serves up to 250 unmaps")
    void shouldFlushSeldomWhenNestedAndDeferred() throws Exception {
        GuestConfig guest = guest("guest", Path.PASSTHROUGH, BOTH_WAYS, Viommu.NESTED, Policy.DEFERRED);
        GuestFigures.GuestUnit unit =
                run(guest, 20 * Labs.MILLISECOND).iommu().guestUnit().orElseThrow();
        assertThat(unit.mapExits()).isZero();
        assertThat(unit.unmapExits()).isBetween(unit.unmaps() / 250 - 1, unit.unmaps() / 250 + 2);
        assertThat(unit.hostInvalidations()).isEqualTo(unit.unmapExits());
    }

    @ParameterizedTest
    @EnumSource(
            value = Viommu.class,
            names = {"SHADOW", "NESTED"})
    @DisplayName("7.2: a guest that maps nothing reads each refusal from its own unit, and the host is told of none")
    void shouldTellTheGuestOfItsFaults(Viommu viommu) throws Exception {
        GuestConfig guest = new GuestConfig(
                "guest",
                Path.PASSTHROUGH,
                Labs.RAM,
                LinkConfig.GIGABIT,
                NicTuning.DEFAULTS,
                BOTH_WAYS,
                false,
                new IommuTuning(viommu, Policy.STRICT));
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 42, List.of(guest))) {
            lab.warmUp(0);
            lab.measure(2 * Labs.MILLISECOND, passed -> {});
            GuestFigures figures = lab.figures().getFirst();
            assertThat(figures.rx().frames()).isZero();
            assertThat(lab.faults()).isEmpty();
            List<SeenUnit.Fault> faults = lab.guestUnits().getFirst().faults();
            long read = faults.stream().mapToLong(SeenUnit.Fault::records).sum();
            assertThat(read).isPositive();
            assertThat(figures.iommu().guestUnit().orElseThrow().faults()).isBetween(1L, read);
            assertThat(faults)
                    .allSatisfy(fault -> assertThat(fault.report().reasonCode())
                            .isEqualTo(
                                    viommu == Viommu.NESTED
                                            ? 0x71
                                            : fault.report().access() == Access.READ ? 6 : 5));
        }
    }

    @Test
    @DisplayName("one host serves guests without a unit, shadowed and nested at once")
    void shouldShadowAndNestSideBySide() throws Exception {
        List<GuestConfig> guests = List.of(
                new GuestConfig(
                        "plain", Path.PASSTHROUGH, Labs.RAM, LinkConfig.GIGABIT, NicTuning.DEFAULTS, counted(), true),
                guest("shadow", Path.PASSTHROUGH, counted(), Viommu.SHADOW, Policy.STRICT),
                guest("nested", Path.PASSTHROUGH, counted(), Viommu.NESTED, Policy.STRICT));
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 7, guests)) {
            lab.warmUp(0);
            lab.measure(2_000 * Labs.MILLISECOND, passed -> {});
            assertThat(lab.done()).as("every frame was received").isTrue();
            assertThat(lab.faults()).isEmpty();
        }
    }

    @Test
    @DisplayName("shadow copy and passthrough map nothing once they run: no exit of the unit")
    void shouldNotExitWhenNothingIsMapped() throws Exception {
        for (Policy policy : List.of(Policy.SHADOW, Policy.PASSTHROUGH)) {
            for (Viommu viommu : List.of(Viommu.SHADOW, Viommu.NESTED)) {
                GuestConfig guest = guest("guest", Path.PASSTHROUGH, BOTH_WAYS, viommu, policy);
                assertThat(exits(run(guest, 5 * Labs.MILLISECOND), "viommu."))
                        .as("%s, %s", viommu, policy)
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

package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Virtual functions, and a NIC with a device TLB, behind remapping units that guests see (VT-d 3.8, 4.1, 6.1, 6.5.2.5). */
class GuestIommuDevicesTest {
    private static final NicTuning VIRTUAL = NicTuning.DEFAULTS.withAssigned(AssignedNic.IGBVF);
    private static final NicTuning DEVICE_TLB = NicTuning.DEFAULTS.withDeviceTlb(true);

    private static GuestConfig guest(String name, NicTuning nic, Workload workload, IommuTuning iommu) {
        return new GuestConfig(name, Path.PASSTHROUGH, Labs.RAM, LinkConfig.GIGABIT, nic, workload, true, iommu);
    }

    private static Workload counted() {
        return new Workload.UdpStream(List.of(60, 576, 1514), Labs.count(600), new Workload.Flow(true, 20_000, 1, 400));
    }

    private static List<GuestFigures> deliverEveryFrame(GuestConfig... guests) throws Exception {
        try (Lab lab = Labs.create(ClockMode.VIRTUAL, 7, List.of(guests))) {
            lab.warmUp(0);
            lab.measure(2_000 * Labs.MILLISECOND, passed -> {});
            assertThat(lab.done()).as("every frame was received").isTrue();
            assertThat(lab.faults()).isEmpty();
            assertThat(lab.guestUnits())
                    .allSatisfy(unit -> assertThat(unit.faults()).isEmpty());
            List<GuestFigures> figures = new ArrayList<>(lab.figures());
            assertThat(figures)
                    .allSatisfy(
                            each -> assertThat(each.tx().dropped() + each.rx().dropped())
                                    .isZero());
            return figures;
        }
    }

    private static GuestFigures.GuestUnit unit(GuestFigures figures) {
        return figures.iommu().guestUnit().orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "SHADOW, STRICT", "SHADOW, DEFERRED", "SHADOW, SHADOW", "SHADOW, PASSTHROUGH",
        "NESTED, STRICT", "NESTED, DEFERRED", "NESTED, SHADOW", "NESTED, PASSTHROUGH"
    })
    @DisplayName("a virtual function is a requester of its own, so a guest's unit remaps it alone")
    void shouldRemapVirtualFunctions(Viommu viommu, Policy policy) throws Exception {
        List<GuestFigures> figures = deliverEveryFrame(
                guest("behind", VIRTUAL, counted(), new IommuTuning(viommu, policy)),
                guest("plain", VIRTUAL, counted(), IommuTuning.NONE));
        assertThat(figures.get(1).iommu().guestUnit()).isEmpty();
        GuestFigures.GuestUnit unit = unit(figures.getFirst());
        boolean byPage = policy == Policy.STRICT || policy == Policy.DEFERRED;
        assertThat(unit.maps() >= 1000).as("a map for each frame").isEqualTo(byPage);
        if (byPage) {
            assertThat(unit.mapExits()).isEqualTo(viommu == Viommu.NESTED ? 0 : unit.maps());
        }
        if (policy == Policy.STRICT) {
            assertThat(unit.unmapExits()).isEqualTo(unit.unmaps());
            assertThat(unit.hostInvalidations()).isEqualTo(unit.unmaps());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SHADOW, STRICT", "SHADOW, DEFERRED", "SHADOW, SHADOW", "SHADOW, PASSTHROUGH",
        "NESTED, STRICT", "NESTED, DEFERRED", "NESTED, SHADOW", "NESTED, PASSTHROUGH"
    })
    @DisplayName("6.5.2.5: for each invalidation that the host owes the guest it also asks the device")
    void shouldInvalidateTheDeviceTlb(Viommu viommu, Policy policy) throws Exception {
        GuestFigures figures = deliverEveryFrame(guest("guest", DEVICE_TLB, counted(), new IommuTuning(viommu, policy)))
                .getFirst();
        GuestFigures.DeviceTlb tlb = figures.iommu().deviceTlb().orElseThrow();
        assertThat(tlb.translated()).as("it uses what it caches").isGreaterThan(figures.packets());
        assertThat(tlb.invalidations()).isEqualTo(unit(figures).hostInvalidations());
        if (policy == Policy.STRICT) {
            assertThat(tlb.invalidations()).isEqualTo(unit(figures).unmaps());
            assertThat(tlb.misses())
                    .as("each buffer's page is forgotten after its transfer")
                    .isGreaterThanOrEqualTo(figures.packets());
        }
        if (policy == Policy.PASSTHROUGH) {
            assertThat(tlb.invalidations()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Viommu.class,
            names = {"SHADOW", "NESTED"})
    @DisplayName("10.4.3: a guest's unit offers no device TLBs, whose invalidation nobody would pass on")
    void shouldOfferNoDeviceTlbs(Viommu viommu) {
        assertThat(viommu.mode().guestUnit().capabilities().deviceTlb()).isFalse();
    }
}

package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.iolab.devices.spec.Spec;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.CostProfile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An assigned NIC with address translation services, which the host switches on (PCI Express Base chapter 10; VT-d 4). */
@DisplayName("Device TLB of an assigned NIC")
class DeviceTlbLabTest {
    private static final long WARM_UP = 2_000_000_000L;
    private static final long PICOS = 10_000_000_000L;

    private static GuestConfig guest(String name, NicTuning nic, Workload load, boolean mapped) {
        return new GuestConfig(name, Path.PASSTHROUGH, 16L << 20, LinkConfig.GIGABIT, nic, load, mapped);
    }

    private static Lab lab(ClockMode clock, List<GuestConfig> guests) throws ConfigException, IOException {
        return Lab.create(
                new LabConfig(CostProfile.bundled(CostProfile.DEFAULT), clock, false, 3, Optional.empty(), guests));
    }

    private static List<GuestFigures> run(ClockMode clock, boolean mapped) throws ConfigException, IOException {
        // By the wall clock a machine that is busy otherwise may take its time, so the count ends the run.
        boolean wall = clock == ClockMode.WALL;
        Workload load = new Workload.PingPong(60, wall ? 5000 : 0, 0);
        List<GuestConfig> guests = List.of(
                guest("plain", NicTuning.DEFAULTS, load, mapped),
                guest("services", NicTuning.DEFAULTS.withDeviceTlb(true), load, mapped));
        List<GuestFigures> figures = new ArrayList<>();
        try (Lab lab = lab(clock, guests)) {
            lab.warmUp(WARM_UP);
            lab.measure(wall ? 500 * PICOS : PICOS, passed -> {});
            figures.addAll(lab.figures());
        }
        return figures;
    }

    @ParameterizedTest
    @EnumSource(ClockMode.class)
    @Spec(id = "A2", section = "VT-d 3.3 4.1")
    void shouldTranslateItsOwnRequests(ClockMode clock) throws ConfigException, IOException {
        List<GuestFigures> figures = run(clock, true);
        assertThat(figures.get(0).iommu().deviceTlb()).isEmpty();
        GuestFigures services = figures.get(1);
        GuestFigures.DeviceTlb tlb = services.iommu().deviceTlb().orElseThrow();
        assertThat(services.packets()).isPositive();
        assertThat(tlb.hits()).as("guest memory is mapped in large pages").isPositive();
        assertThat(tlb.translated()).isPositive();
        assertThat(tlb.untranslated()).as("its messages").isPositive();
        if (clock == ClockMode.VIRTUAL) {
            assertThat(tlb.hits()).as("descriptor and buffer of each packet").isGreaterThan(services.packets());
            assertThat(tlb.translated()).isEqualTo(tlb.hits() + tlb.misses());
        }
        assertThat(services.iommu().faults()).isZero();
    }

    @Test
    @DisplayName("VT-d 4.1: with nothing mapped every translation comes back without rights, and no byte moves")
    void shouldReachNothingWithoutMappings() throws ConfigException, IOException {
        GuestFigures services = run(ClockMode.VIRTUAL, false).get(1);
        GuestFigures.DeviceTlb tlb = services.iommu().deviceTlb().orElseThrow();
        assertThat(tlb.translated()).isZero();
        assertThat(services.rx().frames()).isZero();
    }

    @Test
    void shouldRefuseVirtualFunctionsWithDeviceTlb() {
        NicTuning virtual = NicTuning.DEFAULTS.withAssigned(AssignedNic.IGBVF).withDeviceTlb(true);
        assertThatThrownBy(() ->
                        lab(ClockMode.VIRTUAL, List.of(guest("vf", virtual, new Workload.PingPong(60, 0, 0), true))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("device TLB");
    }
}

package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.vmm.IommuTuning.Policy;
import io.iolab.vmm.IommuTuning.Viommu;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.time.Cost;
import io.iolab.vmm.time.Profiles;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What a kernel that drives a remapping unit pays, and what its host pays for it: one price at a time, all else is free. */
class GuestIommuCostTest {
    private static final long NANOS = 100;
    private static final long PRICE = NANOS * 1000;
    private static final int SIZE = 60;
    private static final Workload BOTH_WAYS = Labs.stream(SIZE, Labs.rate(50_000), Labs.rate(50_000));
    private static final Workload SENDING = Labs.stream(SIZE, Labs.rate(50_000), Workload.Flow.OFF);
    private static final Percentage NEARLY = Percentage.withPercentage(3);

    private static GuestFigures measure(Path path, Policy policy, Workload workload, Cost priced) throws Exception {
        Viommu viommu = path == Path.PASSTHROUGH ? Viommu.SHADOW : Viommu.NONE;
        GuestConfig guest = new GuestConfig(
                "guest",
                path,
                Labs.RAM,
                LinkConfig.GIGABIT,
                NicTuning.DEFAULTS,
                workload,
                true,
                new IommuTuning(viommu, policy));
        LabConfig config = new LabConfig(
                Profiles.of(Map.of(priced, NANOS)), ClockMode.VIRTUAL, false, 42, Optional.empty(), List.of(guest));
        try (Lab lab = Lab.create(config)) {
            lab.warmUp(5 * Labs.MILLISECOND);
            lab.measure(25 * Labs.MILLISECOND, passed -> {});
            return lab.figures().getFirst();
        }
    }

    private static double times(GuestFigures figures, CpuShare share) {
        return (double) figures.cpuPicos().getOrDefault(share, 0L) / PRICE;
    }

    @Test
    @DisplayName(
            "6.1: behind a shadowed unit the host invalidates for each unmap, in the guest's exit; the guest itself does not pay")
    void shouldChargeHostsInvalidationsAsExits() throws Exception {
        GuestFigures figures = measure(Path.PASSTHROUGH, Policy.STRICT, BOTH_WAYS, Cost.IOMMU_INVALIDATE);
        assertThat(figures.packets()).isPositive();
        assertThat(times(figures, CpuShare.EXIT)).isCloseTo(figures.packets(), NEARLY);
        assertThat(times(figures, CpuShare.GUEST)).isZero();
    }

    @Test
    @DisplayName(
            "6.1: a page is mapped twice, in the guest's tables by the guest and in the copy by the host; so it is unmapped")
    void shouldChargeTablesOfBoth() throws Exception {
        for (Cost cost : List.of(Cost.IOMMU_MAP_PAGE, Cost.IOMMU_UNMAP_PAGE)) {
            GuestFigures figures = measure(Path.PASSTHROUGH, Policy.STRICT, BOTH_WAYS, cost);
            assertThat(times(figures, CpuShare.GUEST)).as("%s", cost).isCloseTo(figures.packets(), NEARLY);
            assertThat(times(figures, CpuShare.EXIT)).as("%s", cost).isCloseTo(figures.packets(), NEARLY);
        }
    }

    @Test
    @DisplayName("6.5: on the host's own unit each strict unmap waits for its invalidation, and exits from nowhere")
    void shouldChargeStrictInvalidationsToTheKernel() throws Exception {
        GuestFigures figures = measure(Path.NATIVE, Policy.STRICT, BOTH_WAYS, Cost.IOMMU_INVALIDATE);
        assertThat(times(figures, CpuShare.GUEST)).isCloseTo(figures.packets(), NEARLY);
        assertThat(times(figures, CpuShare.EXIT)).isZero();
    }

    @Test
    @DisplayName("deferred: one invalidation serves 250 unmaps, each of which is put into the queue")
    void shouldChargeDeferredInvalidationsByTheFlush() throws Exception {
        GuestFigures flushes = measure(Path.NATIVE, Policy.DEFERRED, BOTH_WAYS, Cost.IOMMU_INVALIDATE);
        assertThat(times(flushes, CpuShare.GUEST))
                .isBetween(flushes.packets() / 250.0 - 1, flushes.packets() / 250.0 + 1);
        GuestFigures deferred = measure(Path.NATIVE, Policy.DEFERRED, BOTH_WAYS, Cost.IOMMU_DEFER);
        assertThat(times(deferred, CpuShare.GUEST)).isCloseTo(deferred.packets(), NEARLY);
    }

    @Test
    @DisplayName(
            "shadow copy: each sent frame is copied once, byte by byte; no table is touched and nothing invalidated")
    void shouldChargeCopiesOfShadowBuffers() throws Exception {
        GuestFigures calls = measure(Path.NATIVE, Policy.SHADOW, SENDING, Cost.COPY_CALL);
        GuestFigures none = measure(Path.NATIVE, Policy.PASSTHROUGH, SENDING, Cost.COPY_CALL);
        assertThat(calls.rx().frames()).isZero();
        assertThat(times(calls, CpuShare.GUEST) - times(none, CpuShare.GUEST))
                .isCloseTo(calls.tx().frames(), NEARLY);
        GuestFigures bytes = measure(Path.NATIVE, Policy.SHADOW, SENDING, Cost.COPY_BYTE);
        assertThat((double) bytes.cpuPicos().get(CpuShare.GUEST) / NANOS)
                .isCloseTo(bytes.tx().frames() * (double) SIZE, NEARLY);
        for (Cost cost : List.of(Cost.IOMMU_MAP_PAGE, Cost.IOMMU_UNMAP_PAGE, Cost.IOMMU_INVALIDATE)) {
            assertThat(times(measure(Path.NATIVE, Policy.SHADOW, SENDING, cost), CpuShare.GUEST))
                    .as("%s", cost)
                    .isZero();
        }
    }
}

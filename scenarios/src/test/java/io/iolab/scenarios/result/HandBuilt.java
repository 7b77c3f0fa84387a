package io.iolab.scenarios.result;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;

/** Figures that no machine made, small enough to check by hand. */
public final class HandBuilt {
    private HandBuilt() {}

    /** Four frames out of 50 us: three sent, one received. */
    public static GuestFigures emulated() {
        return new GuestFigures(
                "emulated",
                Path.EMULATED,
                0.00005,
                new GuestFigures.Traffic(3, 768, Map.of(DropCause.QUEUE_FULL, 2L)),
                new GuestFigures.Traffic(1, 256, Map.of(DropCause.NO_DESCRIPTOR, 1L, DropCause.QUEUE_FULL, 0L)),
                List.of(
                        new GuestFigures.Exits(ExitReason.HLT, "-", ExitHandler.KERNEL, 1, 1_500_000),
                        new GuestFigures.Exits(ExitReason.EPT_MISCONFIG, "TDT", ExitHandler.USER, 3, 12_000_000),
                        new GuestFigures.Exits(ExitReason.EPT_MISCONFIG, "ICR", ExitHandler.USER, 1, 4_500_400),
                        new GuestFigures.Exits(ExitReason.CPUID, "-", ExitHandler.KERNEL, 0, 0)),
                Map.of(InterruptOutcome.RAISED, 2L, InterruptOutcome.COALESCED, 1L, InterruptOutcome.INJECTED, 1L),
                3,
                0,
                Map.of(WakeCause.FRAME, 1L, WakeCause.KICK, 2L),
                1024,
                List.of(
                        new GuestFigures.Dma(Access.READ, DmaKind.DESCRIPTOR, 4, 64),
                        new GuestFigures.Dma(Access.WRITE, DmaKind.PAYLOAD, 1, 256)),
                GuestFigures.Iommu.NONE,
                Map.of(CpuShare.GUEST, 4_000_000L, CpuShare.EXIT, 18_000_400L, CpuShare.WORKER, 2_000_000L),
                latencies(1_000, 1_500));
    }

    /** The same frames behind an IOMMU; no packet was timed. */
    public static GuestFigures passthrough() {
        return new GuestFigures(
                "vf,\"0\"",
                Path.PASSTHROUGH,
                0.00005,
                new GuestFigures.Traffic(3, 768, Map.of()),
                new GuestFigures.Traffic(1, 256, Map.of()),
                List.of(new GuestFigures.Exits(ExitReason.EXTERNAL_INTERRUPT, "-", ExitHandler.KERNEL, 2, 2_000_000)),
                Map.of(InterruptOutcome.RAISED, 2L, InterruptOutcome.REMAPPED, 2L, InterruptOutcome.POSTED, 1L),
                3,
                1,
                Map.of(),
                0,
                List.of(),
                new GuestFigures.Iommu(9, 2, 8, 0, 0),
                Map.of(CpuShare.GUEST, 4_000_000L),
                latencies());
    }

    /** An assigned NIC with a device TLB: four packets. */
    static GuestFigures withDeviceTlb() {
        return passthrough(
                new GuestFigures.Iommu(9, 2, 8, 0, 0).with(Optional.of(new GuestFigures.DeviceTlb(6, 2, 3, 7, 1, 5))));
    }

    /** A guest that sees a remapping unit, in which it has mapped 4 buffers and unmapped 3. */
    static GuestFigures withGuestUnit() {
        return passthrough(new GuestFigures.Iommu(9, 2, 8, 0, 0)
                .with(new GuestFigures.GuestUnit(4, 2, 3, 6, 7, 8, 10, 11, 12, 13)));
    }

    private static GuestFigures passthrough(GuestFigures.Iommu iommu) {
        GuestFigures plain = passthrough();
        return new GuestFigures(
                plain.guest(),
                plain.path(),
                plain.seconds(),
                plain.tx(),
                plain.rx(),
                plain.exits(),
                plain.interrupts(),
                plain.kicksSent(),
                plain.kicksSuppressed(),
                plain.wakeups(),
                plain.copiedBytes(),
                plain.dma(),
                iommu,
                plain.cpuPicos(),
                plain.latencyNanos());
    }

    /** The yardstick. */
    public static GuestFigures yardstick() {
        return new GuestFigures(
                "native",
                Path.NATIVE,
                0.00005,
                new GuestFigures.Traffic(6, 1536, Map.of()),
                new GuestFigures.Traffic(2, 512, Map.of()),
                List.of(),
                Map.of(InterruptOutcome.RAISED, 4L, InterruptOutcome.COALESCED, 2L, InterruptOutcome.INJECTED, 2L),
                6,
                0,
                Map.of(),
                0,
                List.of(),
                GuestFigures.Iommu.NONE,
                Map.of(CpuShare.GUEST, 8_000_000L),
                latencies(500, 500));
    }

    /** Below 2048 a histogram of three digits is exact. */
    private static Histogram latencies(long... nanos) {
        Histogram histogram = new Histogram(1, 100_000_000_000L, 3);
        for (long value : nanos) {
            histogram.recordValue(value);
        }
        return histogram;
    }

    public static Report report(GuestFigures... guests) {
        return new Report(
                "hand-built",
                42,
                ClockMode.VIRTUAL,
                "sandy-bridge-2013",
                "Intel Sandy Bridge, 2012-2017: KVM without APICv or VT-d posting, before the Meltdown/Spectre mitigations",
                "1.2.3",
                List.of(guests),
                List.of(new DmaFaultLine(
                        "00:08.0",
                        0x105000,
                        Access.WRITE,
                        5,
                        "PTE Write access is not set",
                        "DMAR: [DMA Write NO_PASID] Request device [00:08.0] fault addr 0x105000 [fault reason 0x05]"
                                + " PTE Write access is not set",
                        3)));
    }
}

package io.iolab.vmm.ledger;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * A reading of a guest's ledger at one moment; the figures of a run are the difference of two. Counters are never reset, so
 * that a scrape sees them grow and no writer is disturbed.
 */
public final class LedgerReading {
    private final GuestLedger ledger;
    private final Map<Direction, GuestFigures.Traffic> traffic = new EnumMap<>(Direction.class);
    private final Map<ExitCounter, long[]> exits = new HashMap<>();
    private final Map<InterruptOutcome, Long> interrupts = new EnumMap<>(InterruptOutcome.class);
    private final Map<WakeCause, Long> wakeups = new EnumMap<>(WakeCause.class);
    private final Map<CpuShare, Long> cpu = new EnumMap<>(CpuShare.class);
    private final List<GuestFigures.Dma> dma = new ArrayList<>();
    private final GuestFigures.Iommu iommu;
    private final long kicksSent;
    private final long kicksSuppressed;
    private final long copied;
    private final Histogram latency;

    private LedgerReading(GuestLedger ledger, GuestFigures.Iommu iommu) {
        this.ledger = ledger;
        this.iommu = iommu;
        for (Direction direction : Direction.values()) {
            traffic.put(direction, traffic(ledger, direction));
        }
        for (ExitCounter counter : ledger.exits().counters()) {
            exits.put(counter, new long[] {counter.count(), counter.picos()});
        }
        for (InterruptOutcome outcome : InterruptOutcome.values()) {
            interrupts.put(outcome, ledger.interrupts(outcome));
        }
        for (WakeCause cause : WakeCause.values()) {
            wakeups.put(cause, ledger.wakeups(cause));
        }
        for (CpuShare share : CpuShare.values()) {
            cpu.put(share, ledger.cpuPicos(share));
        }
        for (Access access : Access.values()) {
            for (DmaKind kind : DmaKind.values()) {
                dma.add(new GuestFigures.Dma(
                        access, kind, ledger.dmaRequests(access, kind), ledger.dmaBytes(access, kind)));
            }
        }
        kicksSent = ledger.kicksSent();
        kicksSuppressed = ledger.kicksSuppressed();
        copied = ledger.copiedBytes();
        latency = ledger.latency(Direction.TX).histogram().copy();
        latency.add(ledger.latency(Direction.RX).histogram());
    }

    /** @param iommu what the IOMMU has counted for the guest's device so far */
    public static LedgerReading of(GuestLedger ledger, GuestFigures.Iommu iommu) {
        return new LedgerReading(ledger, iommu);
    }

    private static GuestFigures.Traffic traffic(GuestLedger ledger, Direction direction) {
        Map<DropCause, Long> drops = new EnumMap<>(DropCause.class);
        for (DropCause cause : DropCause.values()) {
            drops.put(cause, ledger.drops(direction, cause));
        }
        return new GuestFigures.Traffic(ledger.frames(direction), ledger.bytes(direction), drops);
    }

    /**
     * What happened since {@code earlier}, a reading of the same ledger.
     *
     * @param seconds how long that was
     */
    public GuestFigures since(LedgerReading earlier, double seconds) {
        Histogram passed = latency.copy();
        passed.subtract(earlier.latency);
        return new GuestFigures(
                ledger.guest(),
                ledger.path(),
                seconds,
                trafficSince(earlier, Direction.TX),
                trafficSince(earlier, Direction.RX),
                exitsSince(earlier),
                minus(interrupts, earlier.interrupts, InterruptOutcome.class),
                kicksSent - earlier.kicksSent,
                kicksSuppressed - earlier.kicksSuppressed,
                minus(wakeups, earlier.wakeups, WakeCause.class),
                copied - earlier.copied,
                dmaSince(earlier),
                iommuSince(earlier),
                minus(cpu, earlier.cpu, CpuShare.class),
                passed);
    }

    private GuestFigures.Traffic traffic(Direction direction) {
        return java.util.Objects.requireNonNull(traffic.get(direction));
    }

    private GuestFigures.Traffic trafficSince(LedgerReading earlier, Direction direction) {
        GuestFigures.Traffic now = traffic(direction);
        GuestFigures.Traffic then = earlier.traffic(direction);
        return new GuestFigures.Traffic(
                now.frames() - then.frames(),
                now.bytes() - then.bytes(),
                minus(now.drops(), then.drops(), DropCause.class));
    }

    private List<GuestFigures.Exits> exitsSince(LedgerReading earlier) {
        List<GuestFigures.Exits> list = new ArrayList<>();
        exits.forEach((counter, now) -> {
            long[] then = earlier.exits.getOrDefault(counter, new long[2]);
            if (now[0] > then[0]) {
                list.add(new GuestFigures.Exits(
                        counter.reason(), counter.detail(), counter.handler(), now[0] - then[0], now[1] - then[1]));
            }
        });
        list.sort(Comparator.comparingLong(GuestFigures.Exits::count)
                .reversed()
                .thenComparing(GuestFigures.Exits::reason)
                .thenComparing(GuestFigures.Exits::detail)
                .thenComparing(GuestFigures.Exits::handler));
        return List.copyOf(list);
    }

    private List<GuestFigures.Dma> dmaSince(LedgerReading earlier) {
        List<GuestFigures.Dma> list = new ArrayList<>();
        for (int i = 0; i < dma.size(); i++) {
            GuestFigures.Dma now = dma.get(i);
            GuestFigures.Dma then = earlier.dma.get(i);
            list.add(new GuestFigures.Dma(
                    now.access(), now.kind(), now.requests() - then.requests(), now.bytes() - then.bytes()));
        }
        return List.copyOf(list);
    }

    private GuestFigures.Iommu iommuSince(LedgerReading earlier) {
        GuestFigures.Iommu then = earlier.iommu;
        return new GuestFigures.Iommu(
                iommu.iotlbHits() - then.iotlbHits(),
                iommu.iotlbMisses() - then.iotlbMisses(),
                iommu.walkAccesses() - then.walkAccesses(),
                iommu.faults() - then.faults(),
                iommu.invalidations() - then.invalidations(),
                iommu.deviceTlb().flatMap(now -> then.deviceTlb().map(now::since)),
                iommu.guestUnit().flatMap(now -> then.guestUnit().map(now::since)));
    }

    private static <E extends Enum<E>> Map<E, Long> minus(Map<E, Long> now, Map<E, Long> then, Class<E> type) {
        Map<E, Long> difference = new EnumMap<>(type);
        now.forEach((key, value) -> difference.put(key, value - then.getOrDefault(key, 0L)));
        return difference;
    }
}

package io.iolab.vmm.metrics;

import static io.iolab.vmm.metrics.MeterTag.label;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.IommuCounters;
import io.iolab.iommu.RequesterCounters;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.vmm.Lab;
import io.iolab.vmm.LiveCounters;
import io.iolab.vmm.ledger.Buckets;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.ExitHandler;
import io.iolab.vmm.ledger.ExitReason;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.WakeCause;
import io.iolab.vmm.ledger.WatchdogKind;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

/**
 * The meters of one lab. Before each scrape call {@link #refresh}: it has devices' own counts copied into the ledgers, and binds
 * kinds of exits that were not seen before.
 *
 * <p>Threading: {@link #bindTo} and {@link #refresh} may be called from any thread, also while the lab runs.
 */
public final class LabMeters implements MeterBinder {
    private static final double PICOS_PER_SECOND = 1e12;
    /** The transmit ring, the only one whose occupancy a driver knows. */
    private static final String TRANSMIT_QUEUE = label(Direction.TX);

    private final Lab lab;
    private final String version;
    private final List<LiveCounters> guests;
    private final List<MeterRegistry> registries = new ArrayList<>();
    private final Set<ExitKind> bound = new HashSet<>();

    /** @param version of the build, for {@link LabMeter#BUILD} */
    public LabMeters(Lab lab, String version) {
        this.lab = lab;
        this.version = version;
        this.guests = lab.live();
    }

    private record ExitKind(GuestLedger ledger, ExitReason reason, ExitHandler handler) {
        double count() {
            long count = 0;
            for (ExitCounter counter : ledger.exits().counters()) {
                if (counter.reason() == reason && counter.handler() == handler) {
                    count += counter.count();
                }
            }
            return count;
        }
    }

    /** Binds every meter; kinds of exits not seen yet follow as {@link #refresh} finds them. */
    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        registries.add(registry);
        gauge(registry, LabMeter.BUILD, Tags.of(MeterTag.VERSION.key(), version), () -> 1);
        gauge(registry, LabMeter.CLOCK, Tags.empty(), () -> lab.nowPicos() / PICOS_PER_SECOND);
        IommuCounters unit = lab.iommu();
        for (InvalidationKind kind : InvalidationKind.values()) {
            counter(
                    registry,
                    LabMeter.INVALIDATIONS,
                    Tags.of(tag(MeterTag.KIND, kind)),
                    () -> unit.invalidations(kind));
        }
        for (LiveCounters guest : guests) {
            Tags tags = tags(guest.ledger());
            bindTraffic(registry, guest.ledger(), tags);
            bindCosts(registry, guest.ledger(), tags);
            bindWatchdog(registry, guest.ledger(), tags);
            gauge(
                    registry,
                    LabMeter.OCCUPANCY,
                    tags.and(MeterTag.QUEUE.key(), TRANSMIT_QUEUE),
                    guest.transmitsInFlight()::getAsInt);
            guest.iommu().ifPresent(counters -> bindIommu(registry, counters, tags));
        }
        for (Distribution distribution : distributions()) {
            timer(registry, distribution);
        }
        bound.forEach(kind -> bindExits(registry, kind));
        refresh();
    }

    /** Brings the ledgers up to date and binds what is new in them. */
    public synchronized void refresh() {
        lab.refresh();
        for (LiveCounters guest : guests) {
            for (ExitCounter counter : guest.ledger().exits().counters()) {
                ExitKind kind = new ExitKind(guest.ledger(), counter.reason(), counter.handler());
                if (bound.add(kind)) {
                    registries.forEach(registry -> bindExits(registry, kind));
                }
            }
        }
    }

    /** The timers with their buckets, for an exporter that has histograms of its own. */
    public List<Distribution> distributions() {
        List<Distribution> all = new ArrayList<>();
        for (LiveCounters guest : guests) {
            GuestLedger ledger = guest.ledger();
            all.add(new Distribution(LabMeter.EXIT_HANDLING, tagMap(tags(ledger)), ledger.exitTimes()));
            for (Direction direction : Direction.values()) {
                all.add(new Distribution(
                        LabMeter.LATENCY,
                        tagMap(tags(ledger).and(tag(MeterTag.DIRECTION, direction))),
                        ledger.latency(direction).buckets()));
            }
        }
        return all;
    }

    private static void bindTraffic(MeterRegistry registry, GuestLedger ledger, Tags tags) {
        for (Direction direction : Direction.values()) {
            Tags way = tags.and(tag(MeterTag.DIRECTION, direction));
            counter(registry, LabMeter.FRAMES, way, () -> ledger.frames(direction));
            counter(registry, LabMeter.BYTES, way, () -> ledger.bytes(direction));
            for (DropCause cause : DropCause.values()) {
                counter(
                        registry,
                        LabMeter.DROPS,
                        way.and(tag(MeterTag.CAUSE, cause)),
                        () -> ledger.drops(direction, cause));
            }
        }
        counter(registry, LabMeter.KICKS, tags.and(MeterTag.OUTCOME.key(), "sent"), ledger::kicksSent);
        counter(registry, LabMeter.KICKS, tags.and(MeterTag.OUTCOME.key(), "suppressed"), ledger::kicksSuppressed);
        for (WakeCause cause : WakeCause.values()) {
            counter(registry, LabMeter.WAKEUPS, tags.and(tag(MeterTag.CAUSE, cause)), () -> ledger.wakeups(cause));
        }
        for (InterruptOutcome outcome : InterruptOutcome.values()) {
            counter(
                    registry,
                    LabMeter.INTERRUPTS,
                    tags.and(tag(MeterTag.OUTCOME, outcome)),
                    () -> ledger.interrupts(outcome));
        }
    }

    private static void bindCosts(MeterRegistry registry, GuestLedger ledger, Tags tags) {
        counter(registry, LabMeter.COPIED, tags, ledger::copiedBytes);
        for (Access access : Access.values()) {
            for (DmaKind kind : DmaKind.values()) {
                counter(
                        registry,
                        LabMeter.DMA,
                        tags.and(tag(MeterTag.OP, access), tag(MeterTag.KIND, kind)),
                        () -> ledger.dmaBytes(access, kind));
            }
        }
        for (CpuShare share : CpuShare.values()) {
            counter(
                    registry,
                    LabMeter.CPU,
                    tags.and(tag(MeterTag.SHARE, share)),
                    () -> ledger.cpuPicos(share) / PICOS_PER_SECOND);
        }
    }

    private static void bindWatchdog(MeterRegistry registry, GuestLedger ledger, Tags tags) {
        for (WatchdogKind kind : WatchdogKind.values()) {
            counter(
                    registry,
                    LabMeter.WATCHDOG,
                    tags.and(tag(MeterTag.KIND, kind)),
                    () -> ledger.watchdog().count(kind));
        }
    }

    private static void bindIommu(MeterRegistry registry, RequesterCounters counters, Tags tags) {
        counter(registry, LabMeter.IOTLB, tags.and(MeterTag.RESULT.key(), "hit"), counters::iotlbHits);
        counter(registry, LabMeter.IOTLB, tags.and(MeterTag.RESULT.key(), "miss"), counters::iotlbMisses);
        counter(registry, LabMeter.WALKS, tags, counters::walkAccesses);
        for (FaultReason reason : FaultReason.values()) {
            counter(
                    registry,
                    LabMeter.FAULTS,
                    tags.and(MeterTag.REASON.key(), reason.label()),
                    () -> counters.faults(reason));
        }
    }

    private static void bindExits(MeterRegistry registry, ExitKind kind) {
        Tags tags = tags(kind.ledger())
                .and(MeterTag.REASON.key(), kind.reason().name())
                .and(tag(MeterTag.HANDLER, kind.handler()));
        counter(registry, LabMeter.EXITS, tags, kind::count);
    }

    // A function meter holds its object weakly; here it is the supplier, which the meter's function holds as well.

    private static void counter(MeterRegistry registry, LabMeter meter, Tags tags, DoubleSupplier value) {
        FunctionCounter.builder(meter.meterName(), value, ignored -> value.getAsDouble())
                .description(meter.description())
                .baseUnit(meter.unit())
                .tags(tags)
                .register(registry);
    }

    private static void gauge(MeterRegistry registry, LabMeter meter, Tags tags, DoubleSupplier value) {
        Gauge.builder(meter.meterName(), value, DoubleSupplier::getAsDouble)
                .strongReference(true)
                .description(meter.description())
                .baseUnit(meter.unit())
                .tags(tags)
                .register(registry);
    }

    /** Count and total: Micrometer has no timer that takes buckets ready-made. */
    private static void timer(MeterRegistry registry, Distribution distribution) {
        Buckets buckets = distribution.buckets();
        Tags tags = Tags.empty();
        for (Map.Entry<String, String> tag : distribution.tags().entrySet()) {
            tags = tags.and(tag.getKey(), tag.getValue());
        }
        FunctionTimer.builder(
                        distribution.meter().meterName(),
                        buckets,
                        ignored -> buckets.count(),
                        ignored -> buckets.totalNanos(),
                        TimeUnit.NANOSECONDS)
                .description(distribution.meter().description())
                .tags(tags)
                .register(registry);
    }

    private static Tags tags(GuestLedger ledger) {
        return Tags.of(MeterTag.PATH.key(), ledger.path().label(), MeterTag.GUEST.key(), ledger.guest());
    }

    private static Tag tag(MeterTag key, Enum<?> value) {
        return Tag.of(key.key(), label(value));
    }

    private static Map<String, String> tagMap(Tags tags) {
        Map<String, String> map = new LinkedHashMap<>();
        tags.forEach(tag -> map.put(tag.getKey(), tag.getValue()));
        return map;
    }
}

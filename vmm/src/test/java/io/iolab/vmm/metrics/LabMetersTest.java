package io.iolab.vmm.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.iolab.devices.dma.DmaKind;
import io.iolab.devices.memory.Access;
import io.iolab.iommu.RequesterCounters;
import io.iolab.iommu.fault.FaultReason;
import io.iolab.iommu.invalidate.InvalidationKind;
import io.iolab.vmm.ClockMode;
import io.iolab.vmm.GuestConfig;
import io.iolab.vmm.Lab;
import io.iolab.vmm.LabConfig;
import io.iolab.vmm.LinkConfig;
import io.iolab.vmm.LiveCounters;
import io.iolab.vmm.NicTuning;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.ledger.Buckets;
import io.iolab.vmm.ledger.CpuShare;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.ExitCounter;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WakeCause;
import io.iolab.vmm.time.CostProfile;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a registry holds is the catalogue, and its values are the ledgers'. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LabMetersTest {
    private static final long MILLISECOND = 1_000_000_000L;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private Lab lab;
    private int kindsOfExitAtStart;

    /** Each path once, and an assigned device whose domain is empty, so that there are faults. */
    private static List<GuestConfig> guests() {
        Workload workload = new Workload.UdpStream(
                List.of(256), new Workload.Flow(true, 0, 1, 0), new Workload.Flow(true, 20_000, 1, 0));
        List<GuestConfig> guests = new ArrayList<>(Arrays.stream(Path.values())
                .map(path -> guest(path.label(), path, workload, true))
                .toList());
        guests.add(guest("unmapped", Path.PASSTHROUGH, workload, false));
        return guests;
    }

    private static GuestConfig guest(String name, Path path, Workload workload, boolean mapped) {
        return new GuestConfig(name, path, 16L << 20, LinkConfig.GIGABIT, NicTuning.DEFAULTS, workload, mapped);
    }

    @BeforeAll
    void runFiveMilliseconds() throws Exception {
        lab = Lab.create(new LabConfig(
                CostProfile.bundled(CostProfile.DEFAULT), ClockMode.VIRTUAL, false, 1, Optional.empty(), guests()));
        LabMeters meters = new LabMeters(lab, "1.2.3");
        meters.bindTo(registry);
        kindsOfExitAtStart = kindsOfExit();
        lab.warmUp(MILLISECOND);
        lab.measure(5 * MILLISECOND, passed -> {});
        meters.refresh();
    }

    @AfterAll
    void close() {
        lab.close();
    }

    private double counted(LabMeter meter, Tags tags) {
        FunctionCounter counter = registry.get(meter.meterName()).tags(tags).functionCounters().stream()
                .filter(c -> c.getId().getTags().size() == tags.stream().count())
                .findFirst()
                .orElseThrow();
        return counter.count();
    }

    private static Tags of(GuestLedger ledger) {
        return Tags.of("path", ledger.path().label(), "guest", ledger.guest());
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    @ParameterizedTest
    @EnumSource(LabMeter.class)
    void shouldCarryEveryMeterOfTheCatalogueAsItIsDescribedThere(LabMeter meter) {
        assertThat(registry.find(meter.meterName()).meters()).isNotEmpty().allSatisfy(found -> {
            assertThat(found.getId().getDescription()).isEqualTo(meter.description());
            assertThat(found.getId().getBaseUnit()).isEqualTo(meter.unit());
            assertThat(found.getId().getTags())
                    .extracting(Tag::getKey)
                    .containsExactlyInAnyOrderElementsOf(
                            meter.tags().stream().map(MeterTag::key).toList());
            assertThat(found)
                    .isInstanceOf(
                            switch (meter.kind()) {
                                case COUNTER -> FunctionCounter.class;
                                case TIMER -> FunctionTimer.class;
                                case GAUGE -> Gauge.class;
                            });
        });
    }

    @Test
    void shouldCarryNothingElse() {
        assertThat(registry.getMeters())
                .extracting(meter -> meter.getId().getName())
                .isSubsetOf(Arrays.stream(LabMeter.values())
                        .map(LabMeter::meterName)
                        .toList());
    }

    @Test
    void shouldNameMetersSoThatNoTwoShareAFamily() {
        assertThat(LabMeter.values()).extracting(LabMeter::family).doesNotHaveDuplicates();
        assertThat(LabMeter.values()).extracting(LabMeter::description).doesNotHaveDuplicates();
    }

    @Test
    void shouldTagOnlyWithWords() {
        assertThat(registry.getMeters())
                .filteredOn(meter -> !meter.getId().getName().equals(LabMeter.BUILD.meterName()))
                .flatExtracting(meter -> meter.getId().getTags())
                .allSatisfy(tag -> assertThat(tag.getValue()).matches("[A-Za-z_]+"));
    }

    @Test
    void shouldReportTheLedgersTraffic() {
        for (GuestLedger ledger : lab.ledgers()) {
            for (Direction direction : Direction.values()) {
                Tags tags = of(ledger).and("direction", lower(direction));
                assertThat(counted(LabMeter.FRAMES, tags)).isEqualTo(ledger.frames(direction));
                assertThat(counted(LabMeter.BYTES, tags)).isEqualTo(ledger.bytes(direction));
                for (DropCause cause : DropCause.values()) {
                    assertThat(counted(LabMeter.DROPS, tags.and("cause", cause.label())))
                            .isEqualTo(ledger.drops(direction, cause));
                }
            }
            assertThat(counted(LabMeter.KICKS, of(ledger).and("outcome", "sent")))
                    .isEqualTo(ledger.kicksSent())
                    .isPositive();
            assertThat(counted(LabMeter.KICKS, of(ledger).and("outcome", "suppressed")))
                    .isEqualTo(ledger.kicksSuppressed());
            for (WakeCause cause : WakeCause.values()) {
                assertThat(counted(LabMeter.WAKEUPS, of(ledger).and("cause", cause.label())))
                        .isEqualTo(ledger.wakeups(cause));
            }
            for (InterruptOutcome outcome : InterruptOutcome.values()) {
                assertThat(counted(LabMeter.INTERRUPTS, of(ledger).and("outcome", outcome.label())))
                        .isEqualTo(ledger.interrupts(outcome));
            }
        }
    }

    @Test
    void shouldReportTheLedgersCosts() {
        for (GuestLedger ledger : lab.ledgers()) {
            assertThat(counted(LabMeter.COPIED, of(ledger))).isEqualTo(ledger.copiedBytes());
            for (Access access : Access.values()) {
                for (DmaKind kind : DmaKind.values()) {
                    assertThat(counted(LabMeter.DMA, of(ledger).and("op", lower(access), "kind", lower(kind))))
                            .isEqualTo(ledger.dmaBytes(access, kind));
                }
            }
            for (CpuShare share : CpuShare.values()) {
                assertThat(counted(LabMeter.CPU, of(ledger).and("share", share.label())))
                        .isEqualTo(ledger.cpuPicos(share) / 1e12);
            }
        }
    }

    private int kindsOfExit() {
        return registry.find(LabMeter.EXITS.meterName()).meters().size();
    }

    @Test
    void shouldBindKindsOfExitThatAppearWhileTheLabRuns() {
        assertThat(kindsOfExit()).isGreaterThan(kindsOfExitAtStart);
    }

    @Test
    void shouldReportEveryKindOfExitOnceItHasOccurred() {
        for (GuestLedger ledger : lab.ledgers()) {
            Map<Tags, Double> expected = new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
            for (ExitCounter counter : ledger.exits().counters()) {
                Tags tags = of(ledger).and("reason", counter.reason().name(), "handler", lower(counter.handler()));
                expected.merge(tags, (double) counter.count(), Double::sum);
            }
            expected.forEach((tags, count) -> assertThat(counted(LabMeter.EXITS, tags))
                    .as(tags.toString())
                    .isEqualTo(count));
            assertThat(registry.find(LabMeter.EXITS.meterName())
                            .tags(of(ledger))
                            .meters())
                    .hasSize(expected.size());
        }
    }

    @Test
    void shouldReportHowLongExitsAndPacketsTook() {
        for (GuestLedger ledger : lab.ledgers()) {
            expectTimer(LabMeter.EXIT_HANDLING, of(ledger), ledger.exitTimes());
            for (Direction direction : Direction.values()) {
                expectTimer(
                        LabMeter.LATENCY,
                        of(ledger).and("direction", lower(direction)),
                        ledger.latency(direction).buckets());
            }
        }
    }

    private void expectTimer(LabMeter meter, Tags tags, Buckets buckets) {
        FunctionTimer timer = registry.get(meter.meterName()).tags(tags).functionTimer();
        assertThat(timer.count()).isEqualTo(buckets.count());
        assertThat(timer.totalTime(TimeUnit.NANOSECONDS)).isCloseTo(buckets.totalNanos(), withinPercentage(1e-6));
    }

    @Test
    void shouldReportWhatTheIommuDidForEachAssignedDevice() {
        for (LiveCounters guest : lab.live()) {
            boolean assigned = guest.ledger().path() == Path.PASSTHROUGH;
            assertThat(guest.iommu().isPresent()).isEqualTo(assigned);
            if (!assigned) {
                assertThat(registry.find(LabMeter.IOTLB.meterName())
                                .tags(of(guest.ledger()))
                                .meters())
                        .isEmpty();
                continue;
            }
            RequesterCounters counters = guest.iommu().orElseThrow();
            Tags tags = of(guest.ledger());
            assertThat(counted(LabMeter.IOTLB, tags.and("result", "hit"))).isEqualTo(counters.iotlbHits());
            assertThat(counted(LabMeter.IOTLB, tags.and("result", "miss"))).isEqualTo(counters.iotlbMisses());
            assertThat(counted(LabMeter.WALKS, tags))
                    .isEqualTo(counters.walkAccesses())
                    .isPositive();
            double faults = 0;
            for (FaultReason reason : FaultReason.values()) {
                double of = counted(LabMeter.FAULTS, tags.and("reason", reason.label()));
                assertThat(of).isEqualTo(counters.faults(reason));
                faults += of;
            }
            assertThat(faults > 0).isEqualTo(guest.ledger().guest().equals("unmapped"));
        }
    }

    @Test
    void shouldReportWhatBelongsToNoGuest() {
        for (InvalidationKind kind : InvalidationKind.values()) {
            assertThat(counted(LabMeter.INVALIDATIONS, Tags.of("kind", lower(kind))))
                    .isEqualTo(lab.iommu().invalidations(kind));
        }
        assertThat(registry.get(LabMeter.CLOCK.meterName()).gauge().value()).isEqualTo(lab.nowPicos() / 1e12);
        assertThat(registry.get(LabMeter.BUILD.meterName())
                        .tag("version", "1.2.3")
                        .gauge()
                        .value())
                .isEqualTo(1);
    }

    @Test
    void shouldReportFramesInFlight() {
        for (LiveCounters guest : lab.live()) {
            double occupancy = registry.get(LabMeter.OCCUPANCY.meterName())
                    .tags(of(guest.ledger()).and("queue", "tx"))
                    .gauge()
                    .value();
            assertThat(occupancy)
                    .isEqualTo(guest.transmitsInFlight().getAsInt())
                    .isBetween(1.0, (double) NicTuning.DEFAULTS.ringSize());
        }
    }

    @Test
    void shouldOfferTheTimersWithTheirBuckets() {
        LabMeters meters = new LabMeters(lab, "1.2.3");

        assertThat(meters.distributions()).hasSize(3 * lab.ledgers().size()).allSatisfy(distribution -> {
            assertThat(distribution.meter().kind()).isEqualTo(LabMeter.Kind.TIMER);
            assertThat(distribution.tags().keySet())
                    .containsExactlyInAnyOrderElementsOf(distribution.meter().tags().stream()
                            .map(MeterTag::key)
                            .toList());
        });
    }

    @Test
    void shouldBindASecondRegistryWithTheSameMeters() {
        LabMeters meters = new LabMeters(lab, "1.2.3");
        SimpleMeterRegistry first = new SimpleMeterRegistry();
        SimpleMeterRegistry second = new SimpleMeterRegistry();

        meters.bindTo(first);
        meters.bindTo(second);

        assertThat(second.getMeters())
                .extracting(Meter::getId)
                .containsExactlyInAnyOrderElementsOf(
                        first.getMeters().stream().map(Meter::getId).toList());
    }
}

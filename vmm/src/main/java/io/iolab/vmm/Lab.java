package io.iolab.vmm;

import io.iolab.devices.memory.AddressRange;
import io.iolab.iommu.IommuCounters;
import io.iolab.iommu.driver.FaultReport;
import io.iolab.iommu.explain.TableExplainer;
import io.iolab.iommu.explain.TableWalk;
import io.iolab.iommu.explain.WalkRequest;
import io.iolab.iommu.walk.RequestType;
import io.iolab.vmm.backend.LearningSwitch;
import io.iolab.vmm.backend.Link;
import io.iolab.vmm.backend.NicWorker;
import io.iolab.vmm.config.ConfigException;
import io.iolab.vmm.groups.IommuGroups;
import io.iolab.vmm.inject.Injection;
import io.iolab.vmm.inject.InjectionOutcome;
import io.iolab.vmm.ledger.Direction;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.GuestLedger;
import io.iolab.vmm.ledger.LedgerReading;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WatchdogEvent;
import io.iolab.vmm.time.Run;
import io.iolab.vmm.time.Timeline;
import io.iolab.vmm.time.WallThreads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * One run of the lab: built from a configuration, warmed up, measured, closed.
 *
 * <p>Threading: driven by one thread. In wall time the guests run on threads of their own while {@link #warmUp} and
 * {@link #measure} wait; ledgers may be read at any time.
 */
public final class Lab implements AutoCloseable {
    private static final long PICOS_PER_SECOND = 1_000_000_000_000L;
    private static final long MILLISECOND = 1_000_000_000L;
    /** A probe takes tens of milliseconds at most (10,240 exits for an EEPROM by bit-bang); more means it hangs. */
    private static final long BOOT_LIMIT = 20 * PICOS_PER_SECOND;
    /** Tables of the IOMMU, and what is kept from being handed out. */
    private static final long HOST_OVERHEAD = 16 * AddressRange.LARGE_PAGE_SIZE;

    private static final String FABRIC = "fabric";

    private final Host host;
    private final Run run;
    private final ClockMode clock;
    private final List<Station> stations = new ArrayList<>();
    private final List<Link> links = new ArrayList<>();
    private final List<Injection> injections;
    private List<LedgerReading> before = List.of();
    private List<LedgerReading> after = List.of();
    private final List<StarvationWatch> watches = new ArrayList<>();
    private long beganPicos;
    private long endedPicos;

    private Lab(Host host, Run run, ClockMode clock, List<Injection> injections) {
        this.injections = List.copyOf(injections);
        this.host = host;
        this.run = run;
        this.clock = clock;
    }

    /**
     * Builds memory, devices and guests; nothing runs yet.
     *
     * @throws IllegalArgumentException if there is an {@link AssignedNic#obstacle}
     * @throws ConfigException if a capture file is not what it should be
     * @throws IOException if host memory or a capture cannot be had
     */
    public static Lab create(LabConfig config) throws ConfigException, IOException {
        return create(config, NicWorker.BURST);
    }

    /** @param burst frames an I/O worker moves in a step: how finely the actors' work is interleaved */
    static Lab create(LabConfig config, int burst) throws ConfigException, IOException {
        AssignedNic.obstacle(config.guests()).ifPresent(problem -> {
            throw new IllegalArgumentException(problem);
        });
        long ram = config.guests().stream().mapToLong(GuestConfig::ramBytes).sum();
        Host host = new Host(
                ram + HOST_OVERHEAD,
                config.memoryFile(),
                config.guests().stream()
                        .anyMatch(guest -> guest.path() == Path.PASSTHROUGH
                                && guest.nic().interrupts() != InterruptDelivery.FORWARDED),
                config.guests().stream()
                        .anyMatch(guest ->
                                guest.path() == Path.PASSTHROUGH && guest.nic().deviceTlb()),
                config.guests().stream().anyMatch(guest -> guest.iommu().nested()));
        Run run = config.clock() == ClockMode.VIRTUAL ? new Timeline() : new WallThreads(config.spendCosts());
        Lab lab = new Lab(host, run, config.clock(), config.injections());
        try {
            lab.build(config, burst);
            return lab;
        } catch (ConfigException | IOException | RuntimeException e) {
            lab.close();
            throw e;
        }
    }

    private void build(LabConfig config, int burst) throws ConfigException, IOException {
        LearningSwitch fabric = new LearningSwitch("switch", config.profile());
        List<PathContext> contexts = new ArrayList<>();
        for (int i = 0; i < config.guests().size(); i++) {
            contexts.add(StationBuilder.context(config, i, host, burst));
        }
        List<PathContext> virtual =
                contexts.stream().filter(PathContext::virtualFunction).toList();
        SharedNic shared = virtual.isEmpty() ? null : SharedNic.plug(host, virtual, fabric);
        for (PathContext context : contexts) {
            Station station = StationBuilder.build(config, context, fabric, shared);
            boolean newNic = stations.stream().noneMatch(other -> other.worker() == station.worker());
            stations.add(station);
            station.links().stream().filter(link -> !links.contains(link)).forEach(links::add);
            run.add(station.group(), station.processor());
            if (newNic) {
                run.add(station.group(), station.worker());
            }
        }
        run.add(FABRIC, fabric);
        for (Station station : stations) {
            run.add(FABRIC, station.peer());
        }
    }

    /**
     * Every cable, named {@code GUEST.tx} for what leaves a guest's NIC, {@code GUEST.rx} for what comes to it, and so for peers;
     * {@code 82576.port} in place of the guests that share it.
     */
    public List<Link> links() {
        return List.copyOf(links);
    }

    /** Live counters of each guest. */
    public List<GuestLedger> ledgers() {
        return stations.stream().map(Station::ledger).toList();
    }

    /** Live counters of each guest and of what serves it, in the order of {@link #ledgers}. */
    public List<LiveCounters> live() {
        return stations.stream().map(Station::live).toList();
    }

    /** What the IOMMU has counted over all devices. */
    public IommuCounters iommu() {
        return host.iommu().counters();
    }

    /** The IOMMU groups of the physical functions. */
    public IommuGroups iommuGroups() {
        return host.vfio().groups();
    }

    /** Copies into the ledgers what devices count themselves; before a scrape, and done by {@link #figures}. */
    public void refresh() {
        stations.forEach(station -> station.syncCounters().run());
    }

    /**
     * Boots the guests and runs them for {@code picos} more.
     *
     * @throws IllegalStateException if a guest does not get through its boot
     */
    public void warmUp(long picos) {
        while (!stations.stream().allMatch(s -> s.kernel().bootedPicos() <= run.nowPicos())) {
            if (run.nowPicos() > BOOT_LIMIT) {
                throw new IllegalStateException("a guest has not booted within 20 s");
            }
            run.until(run.nowPicos() + MILLISECOND);
        }
        stations.forEach(s -> s.kernel().release());
        run.until(run.nowPicos() + picos);
        for (Station station : stations) {
            for (Direction direction : Direction.values()) {
                station.ledger().latency(direction).startMeasuring();
            }
        }
        watches.clear();
        for (Station station : stations) {
            watches.add(new StarvationWatch(
                    station.ledger(),
                    station.links().get(1),
                    clock == ClockMode.VIRTUAL && !station.sharesNic(),
                    WatchPeriod.picos(clock, station.config()),
                    run.nowPicos()));
        }
        before = readings();
        beganPicos = run.nowPicos();
        after = before;
        endedPicos = beganPicos;
    }

    /**
     * Runs the measured part; ends early when every program has reached its count.
     *
     * @param progress is told how many picoseconds of it have passed, every millisecond or so
     */
    public void measure(long picos, LongConsumer progress) {
        long end = beganPicos + picos;
        while (run.nowPicos() < end && !stations.stream().allMatch(Station::done)) {
            run.until(Math.min(end, run.nowPicos() + MILLISECOND));
            watch();
            progress.accept(run.nowPicos() - beganPicos);
        }
        after = readings();
        endedPicos = run.nowPicos();
    }

    private void watch() {
        long now = run.nowPicos();
        if (watches.stream().anyMatch(watch -> watch.due(now))) {
            refresh();
            watches.stream().filter(watch -> watch.due(now)).forEach(watch -> watch.look(now));
        }
    }

    /** What the watchdogs found since the start of the run, the guests' and the host's, in the order of the guests. */
    public List<WatchdogEvent> watchdog() {
        return stations.stream()
                .flatMap(station -> station.ledger().watchdog().events().stream())
                .toList();
    }

    /** The bugs of this run, in the order of its configuration. */
    public List<InjectionOutcome> injections() {
        return injections.stream()
                .map(injection -> new InjectionOutcome(
                        injection.bug(),
                        injection.guest(),
                        stations.stream()
                                .filter(station -> station.config().name().equals(injection.guest()))
                                .anyMatch(station -> station.bugs().struck(injection.bug()))))
                .toList();
    }

    /** Lets {@code picos} pass and does nothing else. */
    void advance(long picos) {
        run.until(run.nowPicos() + picos);
    }

    /** Whether every program has reached its count. */
    public boolean done() {
        return stations.stream().allMatch(Station::done);
    }

    private List<LedgerReading> readings() {
        refresh();
        return stations.stream()
                .map(s -> LedgerReading.of(s.ledger(), s.iommu().get()))
                .toList();
    }

    /** Each guest's figures over the measured part. */
    public List<GuestFigures> figures() {
        double seconds = (double) (endedPicos - beganPicos) / PICOS_PER_SECOND;
        List<GuestFigures> figures = new ArrayList<>();
        for (int i = 0; i < after.size(); i++) {
            figures.add(after.get(i).since(before.get(i), seconds));
        }
        return figures;
    }

    /** DMA faults that the IOMMU has recorded, with how often each was seen. */
    public Map<FaultReport, Long> faults() {
        return host.faults();
    }

    /** The remapping units that guests see, in the order of the guests. */
    public List<SeenUnit> guestUnits() {
        return stations.stream()
                .flatMap(station -> station.guestUnit().stream())
                .toList();
    }

    /** Walks the IOMMU's tables as they are now for a request, and tells each step. */
    public TableWalk explain(WalkRequest request) {
        return explainer().explain(host.iommu().registers(), request);
    }

    /** The walk behind a fault, by the IOMMU's tables as they are now. */
    public TableWalk explain(FaultReport report) {
        return explainer().fault(host.iommu().registers(), report, RequestType.UNTRANSLATED);
    }

    /** Explains an interrupt request by the IOMMU's interrupt-remapping table as it is now. */
    public TableWalk explainInterrupt(int rid, int index) {
        return explainer().interrupt(host.iommu().registers(), rid, index);
    }

    private TableExplainer explainer() {
        return new TableExplainer(host.memory(), host.iommuOptions().capabilities());
    }

    public ClockMode clock() {
        return clock;
    }

    /** Time of the run so far, in picoseconds. */
    public long nowPicos() {
        return run.nowPicos();
    }

    @Override
    public void close() {
        run.close();
        host.close();
    }
}

package io.iolab.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import io.iolab.iommu.driver.FaultReport;
import io.iolab.vmm.guest.Workload;
import io.iolab.vmm.inject.Bug;
import io.iolab.vmm.inject.Injection;
import io.iolab.vmm.inject.InjectionOutcome;
import io.iolab.vmm.ledger.DropCause;
import io.iolab.vmm.ledger.GuestFigures;
import io.iolab.vmm.ledger.InterruptOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WatchdogEvent;
import io.iolab.vmm.ledger.WatchdogKind;
import io.iolab.vmm.time.CostProfile;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bug shows what its catalogue entry says, on each path that can have it, and a run without it does not. */
class InjectionTest {
    private static final long SEED = 42;
    private static final Workload BOTH_WAYS = Labs.stream(60, Labs.MAX, Labs.rate(20_000));

    /** What each bug must have found, and may find beside: the catalogue's symptoms in the watchdogs' words. */
    private record Symptom(Set<WatchdogKind> always, Set<WatchdogKind> maybe) {}

    private static Symptom symptom(Bug bug) {
        return switch (bug) {
            case MISSED_KICK_RECHECK, TX_STALL_AFTER_BUSY, TRANSMIT_HANG, WRONG_DMA_DIRECTION ->
                new Symptom(EnumSet.of(WatchdogKind.TX_HANG, WatchdogKind.TX_TIMEOUT), none());
            case MISSED_INTERRUPT_RECHECK, USED_EVENT_TOO_EARLY ->
                new Symptom(EnumSet.of(WatchdogKind.RX_STALL, WatchdogKind.RX_NO_BUFFER), none());
            case SPURIOUS_INTERRUPTS -> new Symptom(none(), none());
            case USED_LENGTH_OVERREPORTED -> new Symptom(EnumSet.of(WatchdogKind.RX_ERRORS), none());
            case RING_FULL_NEVER_RECOVERS, RDT_OFF_BY_ONE -> new Symptom(EnumSet.of(WatchdogKind.RX_NO_BUFFER), none());
            case IMS_NOT_RESTORED ->
                new Symptom(
                        EnumSet.of(WatchdogKind.RX_STALL, WatchdogKind.RX_NO_BUFFER),
                        EnumSet.of(WatchdogKind.TX_TIMEOUT));
            case LEVEL_NOT_REARMED -> new Symptom(EnumSet.of(WatchdogKind.RX_STALL, WatchdogKind.RX_NO_BUFFER), none());
            case INTERRUPT_STORM ->
                new Symptom(
                        EnumSet.of(WatchdogKind.INTERRUPT_STORM, WatchdogKind.RX_STALL, WatchdogKind.RX_NO_BUFFER),
                        none());
        };
    }

    private static Set<WatchdogKind> none() {
        return EnumSet.noneOf(WatchdogKind.class);
    }

    private record Outcome(GuestFigures figures, List<WatchdogEvent> watchdog, Map<FaultReport, Long> faults) {
        Set<WatchdogKind> found() {
            Set<WatchdogKind> kinds = none();
            watchdog.forEach(event -> kinds.add(event.kind()));
            return kinds;
        }

        WatchdogEvent of(WatchdogKind kind) {
            return watchdog.stream()
                    .filter(event -> event.kind() == kind)
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static Outcome run(Path path, List<Bug> bugs) throws Exception {
        GuestConfig guest = Labs.guest(path, BOTH_WAYS);
        List<Injection> injections =
                bugs.stream().map(bug -> new Injection(bug, guest.name())).toList();
        LabConfig config = new LabConfig(
                CostProfile.bundled(CostProfile.DEFAULT),
                ClockMode.VIRTUAL,
                false,
                SEED,
                Optional.empty(),
                List.of(guest),
                injections);
        try (Lab lab = Lab.create(config)) {
            lab.warmUp(Labs.MILLISECOND);
            lab.measure(60 * Labs.MILLISECOND, passed -> {});
            assertThat(lab.injections()).hasSameSizeAs(bugs).allMatch(InjectionOutcome::struck);
            return new Outcome(lab.figures().getFirst(), lab.watchdog(), new LinkedHashMap<>(lab.faults()));
        }
    }

    static Stream<Arguments> bugsAndPaths() {
        List<Arguments> all = new ArrayList<>();
        for (Bug bug : Bug.values()) {
            bug.paths().forEach(path -> all.add(Arguments.of(bug, path)));
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("bugsAndPaths")
    void shouldShowItsSymptomAndNoOther(Bug bug, Path path) throws Exception {
        Outcome outcome = run(path, List.of(bug));

        Symptom symptom = symptom(bug);
        assertThat(outcome.found()).as("%s, %s", bug.label(), bug.met()).containsAll(symptom.always());
        Set<WatchdogKind> rest = outcome.found();
        rest.removeAll(symptom.always());
        assertThat(symptom.maybe()).as("beside what must be").containsAll(rest);
    }

    @ParameterizedTest
    @EnumSource(Path.class)
    void shouldFindNothingInAHealthyRun(Path path) throws Exception {
        Outcome outcome = run(path, List.of());

        assertThat(outcome.watchdog()).isEmpty();
        assertThat(outcome.faults()).isEmpty();
        assertThat(outcome.figures().rx().dropped()).isZero();
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("bugsAndPaths")
    @DisplayName("same seed, same bug: the same figures and findings, to the last digit")
    void shouldRepeatItselfExactly(Bug bug, Path path) throws Exception {
        assertThat(run(path, List.of(bug)).toString())
                .isEqualTo(run(path, List.of(bug)).toString());
    }

    @Test
    @DisplayName("home-assistant/operating-system#4491: Linux's block, TDH standing still where TDT has gone on")
    void shouldLogTheTransmitHangAsLinuxDoes() throws Exception {
        Outcome outcome = run(Path.EMULATED, List.of(Bug.TRANSMIT_HANG));

        List<String> block = outcome.of(WatchdogKind.TX_HANG).lines();
        assertThat(block.getFirst()).isEqualTo("e1000 0000:00:04.0 eth0: Detected Tx Unit Hang");
        assertThat(block)
                .extracting(line -> line.replaceAll("<.*", "").strip())
                .containsExactly(
                        "e1000 0000:00:04.0 eth0: Detected Tx Unit Hang",
                        "TDH",
                        "TDT",
                        "next_to_use",
                        "next_to_clean",
                        "buffer_info[next_to_clean]",
                        "time_stamp",
                        "next_to_watch",
                        "jiffies",
                        "next_to_watch.status");
        assertThat(value(block, "TDH")).isEqualTo(value(block, "next_to_clean")).isNotEqualTo(value(block, "TDT"));
        assertThat(value(block, "TDT")).isEqualTo(value(block, "next_to_use"));
        assertThat(value(block, "next_to_watch.status")).isZero();
        assertThat(value(block, "jiffies")).isGreaterThan(value(block, "time_stamp"));
        assertThat(outcome.of(WatchdogKind.TX_TIMEOUT).lines().getFirst())
                .startsWith("NETDEV WATCHDOG: eth0 (e1000): transmit queue 0 timed out ");
    }

    private static long value(List<String> block, String field) {
        String line = block.stream()
                .filter(candidate -> candidate.strip().startsWith(field + " "))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll(".*<(.*)>", "$1"), 16);
    }

    @Test
    @DisplayName("Avnu/igb_avb#11: PTE Read access is not set, VT-d reason 6")
    void shouldRecordReadsThroughAMappingForWrites() throws Exception {
        Outcome outcome = run(Path.PASSTHROUGH, List.of(Bug.WRONG_DMA_DIRECTION));

        assertThat(outcome.figures().packets()).isZero();
        assertThat(outcome.faults().keySet())
                .isNotEmpty()
                .allSatisfy(fault -> assertThat(fault.toString()).contains("PTE Read access is not set"));
    }

    @Test
    @DisplayName("cartesi/machine-emulator#301: interrupts per packet by an order of magnitude, no frame lost")
    void shouldShowSpuriousInterruptsInTheFigures() throws Exception {
        GuestFigures healthy = run(Path.VIRTIO, List.of()).figures();
        GuestFigures ill = run(Path.VIRTIO, List.of(Bug.SPURIOUS_INTERRUPTS)).figures();

        assertThat(interrupts(ill)).isGreaterThan(10 * interrupts(healthy));
        assertThat(ill.perPacket(ill.totalExits())).isGreaterThan(healthy.perPacket(healthy.totalExits()));
        assertThat(ill.tx().dropped() + ill.rx().dropped()).isZero();
    }

    private static double interrupts(GuestFigures figures) {
        return figures.perPacket(figures.interrupts().get(InterruptOutcome.INJECTED));
    }

    @Test
    @DisplayName("nextbsd-kernel#110: the interrupt fires a last time; the hundredth is the last")
    void shouldInterruptNoMoreOnceTheLineIsNotRearmed() throws Exception {
        assertThat(run(Path.EMULATED, List.of(Bug.LEVEL_NOT_REARMED))
                        .figures()
                        .interrupts()
                        .get(InterruptOutcome.INJECTED))
                .isLessThanOrEqualTo(100);
    }

    @Test
    @DisplayName("SerenityOS#6669, Solo5#98: reception ends after what was let pass, and the host loses the rest")
    void shouldReceiveNoMoreOnceTheRingLooksEmpty() throws Exception {
        GuestFigures e1000 = run(Path.EMULATED, List.of(Bug.RDT_OFF_BY_ONE)).figures();
        GuestFigures virtio =
                run(Path.VIRTIO, List.of(Bug.RING_FULL_NEVER_RECOVERS)).figures();

        assertThat(e1000.rx().frames()).isBetween(50L, 512L);
        assertThat(e1000.rx().drops().get(DropCause.NO_DESCRIPTOR)).isPositive();
        assertThat(virtio.rx().frames()).isBetween(50L, 101L);
        assertThat(virtio.rx().drops().get(DropCause.QUEUE_FULL)).isPositive();
    }

    @Test
    @DisplayName("snabb#935: every frame whose length is a lie is thrown away, none reaches the program")
    void shouldDropFramesWithOverReportedLengths() throws Exception {
        GuestFigures figures =
                run(Path.VIRTIO, List.of(Bug.USED_LENGTH_OVERREPORTED)).figures();

        assertThat(figures.rx().frames()).isLessThanOrEqualTo(101);
        assertThat(figures.rx().drops().get(DropCause.CORRUPT)).isGreaterThan(800);
    }

    @Test
    void shouldLeaveTheOtherDirectionAlone() throws Exception {
        GuestFigures noTransmit =
                run(Path.VIRTIO, List.of(Bug.MISSED_KICK_RECHECK)).figures();
        GuestFigures noReceive =
                run(Path.VIRTIO, List.of(Bug.USED_EVENT_TOO_EARLY)).figures();

        assertThat(noTransmit.rx().frames()).isGreaterThan(900);
        assertThat(noReceive.tx().frames()).isGreaterThan(20_000);
    }

    @Test
    void shouldShowTwoBugsOfOneGuestTogether() throws Exception {
        Outcome outcome = run(Path.VIRTIO, List.of(Bug.MISSED_KICK_RECHECK, Bug.USED_LENGTH_OVERREPORTED));

        assertThat(outcome.found()).contains(WatchdogKind.TX_HANG, WatchdogKind.RX_ERRORS);
    }

    @Test
    @DisplayName("each entry is complete, and says where it was met")
    void shouldExplainEachBug() {
        for (Bug bug : Bug.values()) {
            assertThat(Bug.of(bug.label())).contains(bug);
            assertThat(bug.label()).matches("[a-z]+(-[a-z]+)+");
            assertThat(bug.paths()).as(bug.label()).isNotEmpty();
            assertThat(bug.met()).matches("https://github\\.com/[^/ ]+/[^/ ]+/(issues|pull)/\\d+");
            assertThat(List.of(bug.wrong(), bug.symptom(), bug.fix(), bug.strikesAfter()))
                    .allSatisfy(text -> assertThat(text).isNotBlank());
        }
        assertThat(Bug.of("no-such-bug")).isEmpty();
    }
}

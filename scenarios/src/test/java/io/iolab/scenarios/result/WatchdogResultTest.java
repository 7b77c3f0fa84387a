package io.iolab.scenarios.result;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.iolab.scenarios.run.LabRunner;
import io.iolab.scenarios.run.RunRequest;
import io.iolab.scenarios.scenario.Scenario;
import io.iolab.scenarios.scenario.ScenarioCatalog;
import io.iolab.scenarios.schema.SchemaCheck;
import io.iolab.vmm.inject.Bug;
import io.iolab.vmm.inject.Injection;
import io.iolab.vmm.inject.InjectionOutcome;
import io.iolab.vmm.ledger.Path;
import io.iolab.vmm.ledger.WatchdogEvent;
import io.iolab.vmm.ledger.WatchdogKind;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a report says of bugs and watchdogs; a report without either says nothing of them. */
class WatchdogResultTest {
    private static final WatchdogEvent EVENT = new WatchdogEvent(
            "emulated",
            Path.EMULATED,
            WatchdogKind.TX_HANG,
            5_000_000_000L,
            15_000_000_000L,
            3,
            List.of("e1000: it hangs", "  TDH <1>"));

    private static Report ill() {
        return HandBuilt.report()
                .with(List.of(new InjectionOutcome(Bug.TRANSMIT_HANG, "emulated", true)), List.of(EVENT));
    }

    @Test
    void shouldAddFieldsThatMeetTheSchema() throws Exception {
        JsonNode document = new ObjectMapper().readTree(ResultJson.text(ill()));

        assertThat(SchemaCheck.problems(ResultSchema.document(), document)).isEmpty();
        assertThat(document.at("/inject/0/name").asText()).isEqualTo("transmit-hang");
        assertThat(document.at("/inject/0/guest").asText()).isEqualTo("emulated");
        JsonNode event = document.at("/watchdog/0");
        assertThat(event.path("kind").asText()).isEqualTo("tx_hang");
        assertThat(event.path("seen_by").asText()).isEqualTo("guest");
        assertThat(event.path("count").asInt()).isEqualTo(3);
        assertThat(event.path("first_seconds").asDouble()).isEqualTo(0.005);
        assertThat(event.path("last_seconds").asDouble()).isEqualTo(0.015);
        assertThat(event.path("lines")).hasSize(2);
    }

    @Test
    void shouldNotMentionWhatThereWasNot() {
        assertThat(ResultJson.text(HandBuilt.report())).doesNotContain("watchdog", "inject");
        assertThat(ResultTable.text(HandBuilt.report())).doesNotContain("Watchdog", "Injected");
    }

    @Test
    void shouldPrintFindingsWithTheirLines() {
        assertThat(ResultTable.text(ill()))
                .contains(
                        "Injected transmit-hang into emulated\n",
                        "Watchdog: looks that found something",
                        "  GUEST     FOUND    by     looks  first ms  last ms\n",
                        "  emulated  TX_HANG  guest      3     5.000   15.000\n",
                        "\n  emulated, TX_HANG:\n    e1000: it hangs\n      TDH <1>\n");
        assertThat(ResultTable.text(HandBuilt.report()
                        .with(List.of(new InjectionOutcome(Bug.SPURIOUS_INTERRUPTS, "v", true)), List.of())))
                .contains("Watchdog: found nothing");
    }

    @Test
    void shouldSayThatARunWasTooShort() {
        Report report =
                HandBuilt.report().with(List.of(new InjectionOutcome(Bug.TRANSMIT_HANG, "emulated", false)), List.of());

        assertThat(ResultTable.text(report))
                .contains(
                        "Injected transmit-hang into emulated; the run was too short for it to strike, after 100 writes of TDT")
                .doesNotContain("Watchdog");
    }

    @Test
    void shouldReportARunWithABug() throws Exception {
        Scenario scenario = ScenarioCatalog.find("doorbell-cost").withTimes(1_000_000_000L, 30_000_000_000L);
        Injection bug =
                new Injection(Bug.TRANSMIT_HANG, scenario.guests().getFirst().name());

        Report report = new LabRunner("test")
                .run(scenario, RunRequest.PLAIN.withInjections(List.of(bug)))
                .report();

        assertThat(report.injections()).containsExactly(new InjectionOutcome(bug.bug(), bug.guest(), true));
        assertThat(report.watchdog()).extracting(WatchdogEvent::kind).contains(WatchdogKind.TX_HANG);
    }
}
